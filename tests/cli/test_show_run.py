"""How answers look, and what is kept of them."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from trtbuild.cli.show_run import describe_answers, show_answers
from trtbuild.core.arrays import ArrayFile
from trtbuild.core.errors import NotWritable, UsageError
from trtbuild.data.base import Sample
from trtbuild.verbs.running.answers import Answer, ScoredBox, ScoredClass
from trtbuild.verbs.running.drawing import VideoFile
from trtbuild.verbs.running.feeding import FedSample

BLACK = np.zeros((32, 48, 3), np.uint8)
CAT = Answer(classes=(ScoredClass(3, "cat", 0.75), ScoredClass(1, "", 0.2)))
BOXES = Answer(boxes=(ScoredBox((1.4, 2.0, 20.6, 30.0), 0, "disc", 0.5),))
OUTPUTS = {"y": np.arange(8.0, dtype=np.float32)}


@pytest.fixture
def runs():
    """Runs of samples, whose answers are given."""

    def make(*answers, sort="picture", sides=("",), files=("a.png",), texts=None):
        fed = [
            FedSample(Sample(f"{index}.png", {}), BLACK, (texts or {}).get(index, ""))
            for index in range(len(answers))
        ]
        runner = SimpleNamespace(model="model.onnx", describe=lambda _: "model.onnx")
        return SimpleNamespace(
            feeding=SimpleNamespace(sort=sort, files=files),
            sides=dict.fromkeys(sides, runner),
            answers=iter(
                [(f, dict.fromkeys(sides, each)) for f, each in zip(fed, answers, strict=True)]
            ),
        )

    return make


def test_classes_boxes_and_arrays_have_their_lines(runs, capsys):
    """A class without a name has its number; what is not found is said."""
    show_answers(runs(CAT, BOXES, Answer(boxes=()), Answer(outputs=OUTPUTS)), None)

    assert [
        "0.png",
        "   75.0%  cat",
        "   20.0%  class 1",
        "1.png",
        "   50.0%  disc  from (1, 2) to (21, 30)",
        "2.png",
        "  nothing found",
        "3.png",
        "  y float32 [8]: 0, 1, 2, 3, 4, ...",
        "ran model.onnx",
    ] == capsys.readouterr().out.splitlines()


def test_vectors_are_told_by_their_neighbours(runs, capsys):
    """Texts by what they say, the nearest first."""
    vectors = [Answer(vector=np.array(each)) for each in ([1.0, 0.0], [0.6, 0.8], [0.0, 1.0])]
    texts = dict(enumerate(("one", "two", "three")))
    show_answers(runs(*vectors, sort="text", texts=texts, sides=("int8",)), None)
    lines = capsys.readouterr().out.splitlines()

    assert ["nearest, by cosine, int8", "  one", "    0.600  two", "    0.000  three"] == lines[3:7]


def test_plain_values_have_the_same(runs):
    """For programs."""
    found = describe_answers(runs(CAT, BOXES), None)

    assert (3, "cat") == (
        found[0]["answer"]["classes"][0].number,
        found[0]["answer"]["classes"][0].name,
    )
    assert 1 == len(found[1]["answer"]["boxes"])


def test_arrays_are_kept_by_side(runs, tmp_path):
    """A row a sample."""
    answers = [Answer(outputs=OUTPUTS), Answer(outputs=OUTPUTS)]
    show_answers(runs(*answers, sides=("fp32", "int8")), tmp_path / "y.npz")
    file = ArrayFile(tmp_path / "y.npz")

    assert ("fp32.y", "int8.y") == file.names
    assert (2, 8) == file.read("fp32.y").shape


def test_a_video_is_drawn_frame_by_frame(runs, tmp_path):
    """In the rate of the one that was read."""
    av = pytest.importorskip("av", reason="PyAV is not installed")
    with VideoFile(tmp_path / "in.mp4", Fraction(5)) as file:
        file.add(BLACK)
    given = runs(BOXES, BOXES, sort="video", files=(tmp_path / "in.mp4",))
    show_answers(given, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]

    assert (2, True) == (len(frames), bool(frames[0].max() > 100))


@pytest.mark.parametrize(
    ("sort", "name", "files", "error", "told"),
    [
        ("text", "y.png", ("a",), UsageError, "of text only arrays can be kept"),
        ("picture", "y.png", ("a", "b"), UsageError, "is one file, for 2 pictures"),
        ("video", "y.mp4", ("a", "b"), UsageError, "is one file, for 2 videos"),
        ("picture", "file/folder", ("a", "b"), NotWritable, "cannot be written"),
    ],
)
def test_what_cannot_be_kept_is_told(runs, tmp_path, sort, name, files, error, told):
    """Another sort of file, several in one, a folder that is a file."""
    (tmp_path / "file").touch()
    with pytest.raises(error, match=told):
        show_answers(runs(BOXES, sort=sort, files=files), tmp_path / name)
