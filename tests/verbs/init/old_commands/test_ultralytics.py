"""Ultralytics' export arguments."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.old_commands.command_line import Reading, split_command
from trtbuild.verbs.init.old_commands.ultralytics import read_ultralytics


def read(text):
    reading = Reading({}, [])
    read_ultralytics(split_command(text, "ultralytics")[0], reading)
    return reading


def test_what_a_recipe_has_is_kept():
    """A word alone is true."""
    reading = read(
        "yolo detect export model=best.pt format=engine imgsz=320,640 half=True int8 dynamic "
        "batch=4 workspace=2 device=dla:1 simplify=False"
    )

    assert {
        "model": "best.pt", "side": (320, 640), "fp16": True, "int8": True, "dynamic": True,
        "batch": 4, "workspace": 2**31, "dla_core": 1, "gpu_fallback": True,
    } == {key: value for key, value in reading.told.items() if key != "export"}  # fmt: skip
    assert [] == reading.notes


@pytest.mark.parametrize(
    ("text", "side"), [("imgsz=640", (640, 640)), ("imgsz='[64, 96]'", (64, 96)),
                       ("imgsz=64, 96", (64, 96)), ("imgsz='(64,96)'", (64, 96))]
)  # fmt: skip
def test_a_size_is_one_number_or_two(text, side):
    """Height and width."""
    assert side == read(f"export model=m.pt {text}").told["side"]


def test_what_has_no_counterpart_is_named():
    """With where it went."""
    reading = read("export model=m.pt nms fraction=0.5 opset=17 device=0 data=gone.yaml colour=1")

    assert ["fraction=0.5", "device=0", "data=gone.yaml", "colour=1"] == [
        flag for flag, _ in reading.notes
    ]
    assert {"nms", "opset"} == reading.told["export"].keys()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("yolo train model=m.pt", "exports nothing"),
        ("yolo export format=engine", "names no model"),
        ("yolo export model=m.pt batch=many", "cannot be read"),
        ("yolo export model=m.pt imgsz=1,2,3", "cannot be read"),
        ("yolo export model=m.pt workspace=-1", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_one_error(text, told):
    """With what would be."""
    with pytest.raises(UsageError, match=told) as raised:
        read(text)

    assert raised.value.hint
