"""Data sets that a data.yaml describes."""

from __future__ import annotations

import pytest

from tests.helpers.sources import capture, picture, source_of
from trtbuild.core.errors import MissingFile, StepInputError

YAML = """
path: ..
train: [images/train, more/images]
val: ../images/val
test: test.txt
names: {0: cat, 1: dog}
download: https://example.com/coco.zip
"""


def yolo(split="val", extra=""):
    asked = f'"path": "sets/data.yaml", "split": "{split}"{extra}'
    return source_of(f'{{"kind": "yolo", "preprocess": {{}}, {asked}}}')


@pytest.fixture
def folder(tmp_path):
    for name in ("images/train/2", "images/train/1", "images/val/3", "more/images/4"):
        picture(tmp_path / f"{name}.png")
    for name in ("labels/val/3", "more/labels/4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets/data.yaml").write_text(YAML)
    (tmp_path / "test.txt").write_text("./images/val/3.png\n")
    return tmp_path


def test_splits_are_folders_lists_of_folders_and_lists_of_files(folder):
    """Relative to `path`; `../images` that lies beside, as Roboflow writes it, is found."""
    assert ("images/val/3.png",) == yolo().find_names(folder)
    assert ("images/val/3.png",) == yolo("test").find_names(folder)
    wanted = ("images/train/1.png", "images/train/2.png", "more/images/4.png")
    assert wanted == yolo("train").find_names(folder)
    assert wanted[:1] == yolo("train", ', "count": 1').find_names(folder)


def test_boxes_lie_in_labels_beside_images(folder):
    """By the last folder of that name; a picture without any holds nothing."""
    found = yolo("train").find_label_files(folder)

    assert {"more/images/4.png": "more/labels/4.txt"} == {
        name: path.resolve().relative_to(folder).as_posix() for name, path in found.items()
    }
    reader = yolo().find_label_kind().open(yolo().find_label_files(folder))
    row = reader("images/val/3.png", yolo().preprocess.view(8, 6)).tolist()
    assert [[1, 2, 1.5, 6, 4.5, 8, 6, 0]] == row


def test_names_are_told(folder):
    """As a mapping or a list."""
    assert ("cat", "dog") == yolo().find_class_names(folder)
    (folder / "sets/data.yaml").write_text("val: x\nnames: [emu]")
    assert ("emu",) == yolo().find_class_names(folder)


def test_a_data_set_is_captured(folder):
    """As pictures in a folder are."""
    data, context = capture(yolo("train"), folder, folder / "out")

    assert [(3, 6, 8)] * 3 == [each.arrays["input"].shape for each in data.samples(context)]


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("val: [", StepInputError, "data.yaml: is not YAML"),
        ("[1]", StepInputError, "data.yaml: describes no data set"),
        ("train: x\nnames: 3", StepInputError, "`names` is no list"),
        ("train: x\ntest: y", StepInputError, "data.yaml: has no `val`"),
        ("val: nowhere", MissingFile, "nowhere: no such folder"),
        ("val: .", MissingFile, "holds no pictures"),
    ],
)
def test_a_description_that_describes_nothing_is_refused(folder, text, error, told):
    """With what it is."""
    (folder / "sets/data.yaml").write_text(text)

    with pytest.raises(error, match=told):
        yolo().find_files(folder)


def test_a_split_without_any_boxes_is_refused(folder):
    """Since nobody means that; the hint names the first that is missing."""
    (folder / "labels/val/3.txt").unlink()

    with pytest.raises(MissingFile, match="no picture has boxes") as caught:
        yolo().find_label_files(folder)
    assert "labels/val/3.txt" in caught.value.hint
