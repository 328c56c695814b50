"""YOLO's lines."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.data.preprocess import Preprocess
from trtbuild.data.truths.yolo import Yolo

LABELS = Yolo(kind="yolo", path="labels")
VIEW = Preprocess().view(100, 200)


def read(folder, text):
    (folder / "labels").mkdir()
    (folder / "labels" / "1.txt").write_text(text)
    return LABELS.open(LABELS.find_files(folder, ["1.jpg"]))("1.jpg", VIEW)[:, :5].tolist()


def test_a_line_is_a_box_around_its_centre(tmp_path):
    """Shares of 100 x 200."""
    assert [[2, 10, 20, 30, 60], [0, 0, 0, 100, 200]] == read(
        tmp_path, "2 0.2 0.2 0.2 0.2\n\n0 0.5 0.5 1 1\n"
    )


def test_a_polygon_is_the_box_around_it(tmp_path):
    """Three corners."""
    assert [[1, 10, 20, 50, 80]] == read(tmp_path, "1 0.1 0.2 0.5 0.1 0.3 0.4")


def test_a_picture_without_a_file_holds_nothing(tmp_path):
    """As YOLO has it."""
    assert (0, 8) == LABELS.open({})("1.jpg", VIEW).shape


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 .5 .5 .5 .5\n0 .5 .5 .5\n", "1.txt:2: holds 4 numbers"),
        ("cat 0.5 0.5 0.5 0.5", "1.txt:1: holds what is no number"),
        ("-1 0.5 0.5 0.5 0.5", "1.txt:1: its class is -1"),
        ("16777217 0.5 0.5 0.5 0.5", "1.txt:1: its class is 16777217"),
        ("1e300 0.5 0.5 0.5 0.5", "1.txt:1: its class is 1e300"),
        ("0 50 50 20 20", "1.txt:1: holds values beyond 0 to 1: are these pixels?"),
        ("0 nan 0.5 0.5 0.5", "1.txt:1: holds values beyond"),
    ],
)
def test_what_is_no_box_is_refused(tmp_path, text, told):
    """With file and line."""
    with pytest.raises(StepInputError) as caught:
        read(tmp_path, text)

    assert told in caught.value.message
    assert "class cx cy width height" in caught.value.hint
