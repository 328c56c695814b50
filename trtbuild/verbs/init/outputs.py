"""What a model is for, by its outputs, and the metrics that fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trtbuild.core.values import TensorSpec
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.pictures import PictureFacts
from trtbuild.verbs.init.sizes import SizePlan

__all__ = ["Purpose", "Task", "find_purpose", "settle_outputs"]

Task = Literal["classification", "detection", "segmentation", "embedding", "image", ""]
_STRIDES = (8, 16, 32)
_FINER = (4, 8, 16, 32)
_COARSER = (8, 16, 32, 64)
_BOX, _ROW = 4, 6
_MOST_ROWS = 1000
"""A head without NMS of its own behind it yields no more detections than that."""
_NARROW = 8
_VECTOR = re.compile(r"embed|feature|sentence|pooler|descriptor|vector")
_TABLE, _GRID, _MAP = 2, 3, 4


@dataclass(frozen=True)
class Purpose:
    """What a model is for, as far as its outputs tell."""

    task: Task = ""
    metrics: tuple[Any, ...] = ()
    """Those with options that fit, as plain data."""
    classes: int = 0
    """How many scores a classifier has."""
    scores: str = ""
    """The output that holds them."""
    floats: bool = True
    """Whether outputs are numbers whose noise can be told in decibels."""
    remark: str = ""


def settle_outputs(
    outputs: Sequence[TensorSpec], plan: SizePlan
) -> dict[str, tuple[int | str, ...]]:
    """Return the shapes of outputs at `opt`, as far as they are known; the batch has its name."""
    found: dict[str, tuple[int | str, ...]] = {}
    for spec in outputs:
        ran = plan.outputs.get(spec.name, ())
        shape: list[int | str] = list(spec.shape) if len(ran) != len(spec.shape) else list(ran)
        for axis, size in enumerate(spec.shape):
            if isinstance(size, str) and size in plan.kinds:
                batch = plan.kinds[size] == "batch"
                shape[axis] = size if batch else plan.spans[size][1]
        found[spec.name] = tuple(shape)
    return found


def find_purpose(
    look: ModelLook, fed: Sequence[FedInput], plan: SizePlan, facts: PictureFacts
) -> Purpose:
    """Say what a model is for, and which metrics tell whether it still does that."""
    shapes = settle_outputs(look.outputs, plan)
    dtypes = {spec.name: spec.dtype for spec in look.outputs}
    picture = next((each for each in fed if each.role == "picture"), None)
    floats = all(dtype.startswith(("float", "bfloat")) for dtype in dtypes.values())
    floats = floats and not look.suppresses
    if picture is not None:
        shape = plan.shape(picture, 1)
        plane = shape[picture.plane_axes[0]], shape[picture.plane_axes[1]]
        layout = _find_layout(shapes, plane, facts)
        if layout:
            boxes = {"kind": "detection", "layout": layout}
            return Purpose("detection", (boxes,), floats=floats and layout["kind"] != "end_to_end")
        if len(shapes) == 1:
            ((name, made),) = shapes.items()
            found = (
                _of_maps(name, made, plane, picture)
                if dtypes[name].startswith("float")
                else _of_chosen(name, made, plane)
            )
            if found is not None:
                return found
    return _of_tables(look, shapes, dtypes, floats=floats)


def _of_tables(
    look: ModelLook, shapes: Mapping[str, tuple[int | str, ...]], dtypes: Mapping[str, str], *,
    floats: bool,
) -> Purpose:  # fmt: skip
    tables = {
        name: shape
        for name, shape in shapes.items()
        if dtypes[name].startswith("float")
        and len(shape) >= _TABLE
        and isinstance(shape[1], int)
        and shape[1] > 1
        and all(size == 1 for size in shape[2:])
    }
    vectors = [name for name in tables if name in look.unit_vectors or _VECTOR.search(name.lower())]
    if vectors:
        told: dict[str, Any] = {"kind": "embedding", "neighbours": [1]}
        if len(shapes) > 1:
            told["output"] = vectors[0]
        return Purpose("embedding", (told,), floats=floats)
    if len(tables) == 1 and len(shapes) <= _TABLE:
        ((name, shape),) = tables.items()
        return Purpose("classification", (), int(shape[1]), name, floats)
    return Purpose(floats=floats)


def _of_maps(
    name: str, made: tuple[int | str, ...], plane: tuple[int, int], picture: FedInput
) -> Purpose | None:
    """Tell pictures and maps of classes by their sizes."""
    if len(made) != _MAP or not all(isinstance(size, int) for size in made[1:]):
        return None
    last = picture.channels_last and made[3] in (1, 3)
    channels = int(made[3] if last else made[1])
    height, width = (int(size) for size in (made[1:3] if last else made[2:4]))
    factor = height // plane[0] if plane[0] else 0
    alike = factor >= 1 and (height, width) == (plane[0] * factor, plane[1] * factor)
    if channels in (1, 3) and alike:
        told: dict[str, Any] = {"kind": "image", "output": name}
        if last:
            told["channels_last"] = True
        if factor > 1:
            told["crop_border"] = factor
        remark = "values are taken to be 0..1 (`data_range`)"
        return Purpose("image", (told,), remark=remark)
    if channels > 1 and (height, width) == plane:
        return Purpose("segmentation", ({"kind": "segmentation", "output": name},))
    return None


def _of_chosen(name: str, made: tuple[int | str, ...], plane: tuple[int, int]) -> Purpose | None:
    """Tell maps whose pixels have chosen their class already, as whole numbers."""
    if tuple(size for size in made[1:] if size != 1) != plane:
        return None
    return Purpose("segmentation", ({"kind": "segmentation", "output": name},), floats=False)


def _find_layout(
    shapes: Mapping[str, tuple[int | str, ...]], plane: tuple[int, int], facts: PictureFacts
) -> dict[str, Any] | None:
    """Return the layout of a detector's head that its outputs have, as measured ones are named."""
    tables = {
        name: (int(shape[1]), int(shape[2]))
        for name, shape in shapes.items()
        if len(shape) == _GRID and all(isinstance(size, int) for size in shape[1:])
    }
    if len(shapes) == 1 and len(tables) == 1:
        ((rows, columns),) = tables.values()
        return _of_one(rows, columns, plane, certain=facts.task == "detect")
    boxes = [name for name, (_, columns) in tables.items() if columns == _BOX]
    if len(boxes) != 1:
        return None
    count = tables[boxes[0]][0]
    others = {name: shape for name, shape in shapes.items() if name != boxes[0]}
    scores = [n for n, each in tables.items() if n != boxes[0] and each[0] == count]
    if len(scores) == 1 and len(shapes) == _TABLE:
        return {"kind": "ssd", "boxes": boxes[0], "scores": scores[0]}
    flat = {
        n: n.lower() for n, shape in others.items() if tuple(shape[1:]) in ((count,), (count, 1))
    }
    scored = [name for name, low in flat.items() if "score" in low or "conf" in low]
    classed = [name for name, low in flat.items() if "class" in low or "label" in low]
    number = [name for name, low in ((n, n.lower()) for n in others) if "num" in low]
    if len(scored) == 1 and len(classed) == 1:
        found = {"kind": "decoded", "boxes": boxes[0], "scores": scored[0], "classes": classed[0]}
        return found | ({"number": number[0]} if len(number) == 1 else {})
    return None


def _of_one(
    rows: int, columns: int, plane: tuple[int, int], *, certain: bool
) -> dict[str, Any] | None:
    """Tell layouts of one output by how many boxes a picture of this size has."""
    counts = {
        anchors * sum((plane[0] // stride) * (plane[1] // stride) for stride in strides)
        for strides in (_STRIDES, _FINER, _COARSER)
        for anchors in (1, 3)
    }
    if columns == _ROW and rows <= _MOST_ROWS and rows not in counts:
        return {"kind": "end_to_end"}
    if rows < columns and rows > _BOX and (certain or columns in counts):
        return {"kind": "yolov8"}
    if columns < rows and columns > _BOX + 1 and (certain or rows in counts):
        single = rows in {sum((plane[0] // s) * (plane[1] // s) for s in each) for each in
                          (_STRIDES, _FINER, _COARSER)}  # fmt: skip
        return {"kind": "yolov8", "transposed": True} if certain and single else {"kind": "yolov5"}
    return None
