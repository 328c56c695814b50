"""Boxes of a picture in what the model takes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtbuild.data.preprocess import View

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LARGEST_CLASS", "Box", "place_boxes"]

Box = tuple[int, float, float, float, float, bool]
"""Class, left, top, right, bottom in pixels of the picture, and whether it is a crowd."""
LARGEST_CLASS = 1 << 24
"""Beyond it float32 takes one class for another."""
_COLUMNS = 8
_LEAST = 1.0


def place_boxes(boxes: Sequence[Box], view: View) -> np.ndarray:
    """Return rows of class, left, top, right, bottom, the input's width and height, and crowd.

    In pixels of what the model takes, float32 [n, 8]. Of a box that a crop cuts, what is left; one
    of which less than a pixel is left goes.
    """
    import numpy as np

    rows = np.array(boxes, np.float64).reshape(-1, 6)
    corners = np.clip(view.to_model(rows[:, 1:5]), 0, np.tile(view.size, 2))
    seen = (corners[:, 2:] - corners[:, :2] >= _LEAST).all(axis=1)
    size = np.tile(view.size, (len(rows), 1))
    columns = np.concatenate([rows[:, :1], corners, size, rows[:, 5:]], axis=1)
    return np.asarray(columns[seen].astype(np.float32).reshape(-1, _COLUMNS))
