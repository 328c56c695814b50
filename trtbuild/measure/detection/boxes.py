"""Boxes: their formats, how much two overlap, and which of several on one thing to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

from trtbuild.core.box_formats import BoxFormat

__all__ = ["Boxes", "find_overlaps", "suppress", "to_corners"]

_HALF = 0.5
_AT_ONCE = 32
"""Boxes whose overlaps with all that are left are found at once."""


@dataclass(frozen=True)
class Boxes:
    """What was found in one picture, or what is there; of equal length n."""

    corners: np.ndarray
    """float64 [n, 4]: left, top, right, bottom."""
    scores: np.ndarray
    """float64 [n]."""
    classes: np.ndarray
    """int64 [n]."""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.scores)

    def take(self, which: np.ndarray) -> Boxes:
        """Return those that an index or a mask names, in its order."""
        return Boxes(self.corners[which], self.scores[which], self.classes[which])

    def above(self, threshold: float) -> Boxes:
        """Return those with at least this score."""
        return self.take(self.scores >= threshold)


def to_corners(boxes: np.ndarray, form: BoxFormat) -> np.ndarray:
    """Return boxes [n, 4] as float64 left, top, right, bottom.

    `cxcywh` is centre and size, `xywh` left, top and size, `yxyx` top, left, bottom, right.
    """
    import numpy as np

    one, two, three, four = np.asarray(boxes, np.float64).T
    if form == "cxcywh":
        columns = [one - three * _HALF, two - four * _HALF, one + three * _HALF, two + four * _HALF]
    elif form == "xywh":
        columns = [one, two, one + three, two + four]
    elif form == "yxyx":
        columns = [two, one, four, three]
    else:
        columns = [one, two, three, four]
    return np.stack(columns, axis=1)


def find_overlaps(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the intersection over union of each of our boxes with each of theirs: [n, m].

    Boxes are left, top, right, bottom. One of no area overlaps with nothing.
    """
    import numpy as np

    ours, theirs = ours[:, None, :], theirs[None, :, :]
    top_left = np.maximum(ours[..., :2], theirs[..., :2])
    bottom_right = np.minimum(ours[..., 2:], theirs[..., 2:])
    shared = np.prod(np.clip(bottom_right - top_left, 0, None), axis=-1)
    areas = [
        np.prod(np.clip(side[..., 2:] - side[..., :2], 0, None), axis=-1) for side in (ours, theirs)
    ]
    union = areas[0] + areas[1] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def suppress(boxes: Boxes, *, threshold: float, by_class: bool, most: int) -> Boxes:
    """Return the best boxes, highest score first, `most` at most.

    Non-maximum suppression: a box goes that overlaps by more than `threshold` with one of a higher
    score (of equal scores the first), of its own class where `by_class`.
    """
    import numpy as np

    left = boxes.take(np.argsort(-boxes.scores, kind="stable"))
    gone = np.zeros(len(left), bool)
    kept: list[int] = []
    for start in range(0, len(left), _AT_ONCE):
        rest = np.flatnonzero(~gone[start:]) + start
        some = rest[rest < start + _AT_ONCE]
        rivals = find_overlaps(left.corners[some], left.corners[rest]) > threshold
        if by_class:
            rivals &= left.classes[some][:, None] == left.classes[rest]
        for first, row in zip(some.tolist(), rivals, strict=True):
            if gone[first]:
                continue
            kept.append(first)
            if len(kept) == most:
                return left.take(np.array(kept))
            later = rest[row]
            gone[later[later > first]] = True
    return left.take(np.array(kept, dtype=np.int64))
