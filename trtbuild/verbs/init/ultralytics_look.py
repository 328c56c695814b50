"""What a checkpoint of Ultralytics shows of itself, without being unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trtbuild.core.values import TensorSpec
from trtbuild.verbs.init.entries import Entry
from trtbuild.verbs.init.model_look import ModelLook

__all__ = ["MARK", "look_at_yolo"]

MARK = b"ultralytics.nn"
"""In the pickle of every model of Ultralytics."""
_TASKS = {
    b"SegmentationModel": "segment",
    b"ClassificationModel": "classify",
    b"PoseModel": "pose",
    b"OBBModel": "obb",
}
_USUAL = (640, 640)
_CLASSES = 80


def look_at_yolo(
    path: Path, pickled: bytes, *, placed: str, asked: Mapping[str, Any] | None = None
) -> ModelLook:
    """Say what a YOLO takes and yields when it is exported; nothing `asked` leaves sizes open."""
    told = dict(asked or {})
    side = told.pop("side", _USUAL)
    batch, dynamic = told.pop("batch", 1), told.pop("dynamic", not asked)
    task = next((task for name, task in _TASKS.items() if name in pickled), "detect")
    options: dict[str, Any] = {"imgsz": side[0] if side[0] == side[1] else list(side)}
    options |= {"dynamic": True} if dynamic else {}
    options |= {"batch": batch} if batch != 1 else {}
    shape = ("batch", 3, "height", "width") if dynamic else (batch, 3, *side)
    notes = ["Ultralytics unpickles its checkpoints, which runs what is in them: trust this one"]
    if find_spec("ultralytics") is None:
        notes.append("ultralytics is not installed: pip install ultralytics")
    return ModelLook(
        name=path.stem,
        section=(
            Entry("kind", "ultralytics"),
            Entry("path", placed),
            *(Entry(key, value) for key, value in {**options, **told}.items()),
        ),
        inputs=(TensorSpec(name="images", dtype="float32", shape=shape),),
        outputs=_guess_outputs(task, side, ends=b"v10Detect" in pickled or bool(told.get("nms"))),
        operators={"Conv": 1},
        metadata={"author": "Ultralytics", "task": task, "imgsz": str(list(side))},
        suppresses=bool(told.get("nms")),
        notes=tuple(notes),
    )


def _guess_outputs(task: str, side: tuple[int, int], *, ends: bool) -> tuple[TensorSpec, ...]:
    """Return a detector's output, as far as its layout goes; nothing of other tasks."""
    if task != "detect":
        return ()
    boxes = sum((side[0] // stride) * (side[1] // stride) for stride in (8, 16, 32))
    shape = ("batch", 300, 6) if ends else ("batch", 4 + _CLASSES, boxes)
    return (TensorSpec(name="output0", dtype="float32", shape=shape),)
