"""What is there: a sample's label as rows of boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.values import TensorSpec
from trtbuild.measure.base import CannotMeasure
from trtbuild.measure.detection.matching import Objects

if TYPE_CHECKING:
    import numpy as np

__all__ = ["are_objects", "read_objects"]

_PLAIN = 5
_SIZED = 7
_CROWD = 8
HINT = "rows of [class, left, top, right, bottom]"


def are_objects(labels: TensorSpec) -> bool:
    """Tell whether labels are rows of boxes."""
    shape = labels.shape
    return len(shape) == 2 and isinstance(shape[1], int) and _PLAIN <= shape[1] <= _CROWD  # noqa: PLR2004


def read_objects(truth: np.ndarray | None, *, normalized: bool, first: int) -> Objects:
    """Return what the rows of a label say: class, left, top, right, bottom.

    Two more columns hold the size of the model's input in pixels, by which `normalized` boxes are
    told, and an eighth whether it is a crowd. A row with a class below 0 is no box: it fills up an
    array. Classes count from `first`.

    Raises:
        CannotMeasure: it is no such array.
    """
    import numpy as np

    if truth is None or truth.ndim != 2 or not _PLAIN <= truth.shape[1] <= _CROWD:  # noqa: PLR2004
        shape = "none" if truth is None else f"of shape {list(truth.shape)}"
        raise CannotMeasure(f"its label is {shape}, not {HINT}")
    rows = np.asarray(truth, np.float64)
    rows = rows[rows[:, 0] >= 0]
    classes = rows[:, 0].astype(np.int64) - first
    if (classes < 0).any():
        raise CannotMeasure(f"its label holds a class below {first}, the first one")
    corners = rows[:, 1:_PLAIN]
    if normalized and rows.shape[1] >= _SIZED:
        corners = corners / np.tile(rows[:, _PLAIN:_SIZED], 2)
    crowds = rows[:, _SIZED] > 0 if rows.shape[1] == _CROWD else np.zeros(len(rows), bool)
    return Objects(corners, classes, crowds)
