"""Layouts: what the numbers of a detection head mean, by the names that the field gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.box_formats import BoxFormat
from trtbuild.core.errors import StepInputError
from trtbuild.core.kinds import OneOf
from trtbuild.core.options import NonEmpty, Options
from trtbuild.measure.detection.boxes import Boxes, to_corners

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Decoded", "EndToEnd", "Layout", "Ssd", "Yolov5", "Yolov8"]

_BOX = 4
_MANY = 100
"""More columns than that, and than there are boxes, are the boxes themselves."""
_ROW = 6
"""left, top, right, bottom, score, class."""


class Yolov5(Options):
    """YOLOv5 to v7, decoded YOLOX: rows of a box, its objectness and a score for each class."""

    suppressed: ClassVar[bool] = False

    kind: Literal["yolov5"]
    output: NonEmpty | None = None
    """The output [boxes, 5 + classes]; by default the model's only one."""
    box_format: BoxFormat = "cxcywh"
    """The four numbers of a box: centre and size (`cxcywh`), left, top and size (`xywh`), or left,
    top, right, bottom (`xyxy`, `yxyx`)."""

    def names(self) -> tuple[str | None, ...]:
        """Name the outputs that it reads; None is the model's only one."""
        return (self.output,)

    def decode(self, *outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes [n, 4] as corners, and scores [n, classes]: objectness times class."""
        rows = _table(outputs[0], least=_BOX + 2, what="[boxes, 5 + classes]")
        return to_corners(rows[:, :_BOX], self.box_format), rows[:, [_BOX]] * rows[:, _BOX + 1 :]


class Yolov8(Options):
    """YOLOv8 to v12, and RT-DETR as Ultralytics writes it: a box and a score for each class."""

    suppressed: ClassVar[bool] = False

    kind: Literal["yolov8"]
    output: NonEmpty | None = None
    """The output [4 + classes, boxes]; by default the model's only one."""
    transposed: bool = False
    """Whether the output is [boxes, 4 + classes] instead."""
    box_format: BoxFormat = "cxcywh"
    """The four numbers of a box, as `yolov5` has them."""

    def names(self) -> tuple[str | None, ...]:
        """Name the outputs that it reads; None is the model's only one."""
        return (self.output,)

    def decode(self, *outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes [n, 4] as corners, and scores [n, classes]."""
        what = "[boxes, 4 + classes]" if self.transposed else "[4 + classes, boxes]"
        rows = _table(outputs[0], least=_BOX + 1, what=what, turned=not self.transposed)
        return to_corners(rows[:, :_BOX], self.box_format), rows[:, _BOX:]


class Ssd(Options):
    """SSD, RetinaNet and DETR: an output of boxes, and one of a score for each class."""

    suppressed: ClassVar[bool] = False

    kind: Literal["ssd"]
    boxes: NonEmpty
    """The output of boxes, [boxes, 4]."""
    scores: NonEmpty
    """The output of scores, [boxes, classes]."""
    box_format: BoxFormat = "xyxy"
    """The four numbers of a box, as `yolov5` has them."""
    activation: Literal["none", "softmax", "sigmoid"] = "none"
    """What makes scores of 0..1 of the output's numbers, where the model does not."""
    background: Literal["first", "last"] | None = None
    """Which of the classes means that there is nothing; it is left out, and classes count from 0
    without it."""

    def names(self) -> tuple[str | None, ...]:
        """Name the outputs that it reads."""
        return (self.boxes, self.scores)

    def decode(self, *outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes [n, 4] as corners, and scores [n, classes]."""
        boxes, scores = outputs
        rows = _table(boxes, least=_BOX, most=_BOX, what="[boxes, 4]")
        scores = _activate(_table(scores, least=1, what="[boxes, classes]"), self.activation)
        _demand_equal(rows, scores)
        if self.background is not None:
            scores = scores[:, 1:] if self.background == "first" else scores[:, :-1]
        return to_corners(rows, self.box_format), scores


class EndToEnd(Options):
    """YOLOv10 and others without NMS: rows of left, top, right, bottom, score, class."""

    suppressed: ClassVar[bool] = True

    kind: Literal["end_to_end"]
    output: NonEmpty | None = None
    """The output [boxes, 6]; by default the model's only one."""
    box_format: BoxFormat = "xyxy"
    """The four numbers of a box, as `yolov5` has them."""

    def names(self) -> tuple[str | None, ...]:
        """Name the outputs that it reads; None is the model's only one."""
        return (self.output,)

    def decode(self, *outputs: np.ndarray) -> Boxes:
        """Return the boxes as they are."""
        rows = _table(outputs[0], least=_ROW, what="[boxes, 6]")
        return Boxes(
            to_corners(rows[:, :_BOX], self.box_format), rows[:, _BOX], _classes(rows[:, _BOX + 1])
        )


class Decoded(Options):
    """Boxes, scores and classes as outputs of their own, after the model's NMS."""

    suppressed: ClassVar[bool] = True

    kind: Literal["decoded"]
    boxes: NonEmpty
    """The output of boxes, [boxes, 4]."""
    scores: NonEmpty
    """The output of one score a box."""
    classes: NonEmpty
    """The output of one class a box, as whole numbers from 0 (torchvision's `labels`)."""
    number: NonEmpty | None = None
    """The output that says how many of the boxes count; all by default."""
    box_format: BoxFormat = "xyxy"
    """The four numbers of a box, as `yolov5` has them; `yxyx` in TensorFlow's models."""
    first_class: Annotated[int, Field(ge=0)] = 0
    """What the output calls the first class: 1 in models that keep 0 for the background."""

    def names(self) -> tuple[str | None, ...]:
        """Name the outputs that it reads."""
        number = () if self.number is None else (self.number,)
        return (self.boxes, self.scores, self.classes, *number)

    def decode(self, *outputs: np.ndarray) -> Boxes:
        """Return the boxes as they are, as many as `number` says."""
        import numpy as np

        rows = _table(outputs[0], least=_BOX, most=_BOX, what="[boxes, 4]")
        scores = np.asarray(outputs[1], np.float64).reshape(-1)
        classes = _classes(np.asarray(outputs[2]).reshape(-1)) - self.first_class
        _demand_equal(rows, scores, classes)
        valid = int(np.asarray(outputs[3]).reshape(-1)[0]) if self.number else len(rows)
        some = slice(0, max(0, valid))
        return Boxes(to_corners(rows[some], self.box_format), scores[some], classes[some])


Layout = OneOf["Yolov8 | Yolov5 | Ssd | EndToEnd | Decoded", __name__]


def _matrix(output: np.ndarray, what: str) -> np.ndarray:
    """Return an output of one sample as a float64 matrix; other axes of size 1 do not count.

    Raises:
        StepInputError: it is none.
    """
    import numpy as np

    shape = list(output.shape)
    while output.ndim > 2 and 1 in output.shape:  # noqa: PLR2004  # rows and columns
        output = output.squeeze(output.shape.index(1))
    if output.ndim != 2:  # noqa: PLR2004
        raise StepInputError(
            f"an output of shape {shape} holds no {what} for each sample",
            hint="see `trtbuild kinds layout`, and which output it names",
        )
    return np.asarray(output, np.float64)


def _table(
    output: np.ndarray, *, least: int, what: str, most: int | None = None, turned: bool = False
) -> np.ndarray:
    """Return an output of one sample as rows, each of a box.

    Raises:
        StepInputError: it holds other columns, or more classes than boxes, as if transposed.
    """
    matrix = _matrix(output, what)
    rows = matrix.T if turned else matrix
    count, columns = rows.shape
    odd = 0 < count < columns > _MANY if most is None else columns > most
    if columns < least or odd:
        raise StepInputError(
            f"an output of shape {list(output.shape)} is not {what}",
            hint="is it another layout (`trtbuild kinds layout`), or transposed?",
        )
    return rows


def _demand_equal(*columns: np.ndarray) -> None:
    if len({len(each) for each in columns}) > 1:
        told = ", ".join(str(len(each)) for each in columns)
        raise StepInputError(
            f"the outputs of one sample hold different numbers of boxes: {told}",
            hint="name the outputs that belong together",
        )


def _classes(values: np.ndarray) -> np.ndarray:
    import numpy as np

    with np.errstate(invalid="ignore"):  # NaN is told by whoever asks whether all is finite
        return np.rint(np.nan_to_num(np.asarray(values, np.float64))).astype(np.int64)


def _activate(scores: np.ndarray, activation: str) -> np.ndarray:
    import numpy as np

    if activation == "softmax":
        grown = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(grown / grown.sum(axis=1, keepdims=True))
    if activation == "sigmoid":
        # Of both signs without overflow.
        return np.asarray(0.5 * (1 + np.tanh(scores / 2)))
    return scores
