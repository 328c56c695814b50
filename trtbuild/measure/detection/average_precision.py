"""Mean average precision over samples and resamples of them, from matches made once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.measure.detection.matching import OVERLAPS, Hits

if TYPE_CHECKING:
    import numpy as np

__all__ = ["AveragePrecision"]

_RECALLS = 101
_TINY = 2.0**-52
"""What COCO's code adds to a denominator: numpy.spacing(1)."""
_MOST_VALUES = 1 << 22
"""How many values of all draws are in memory at once."""


@dataclass(frozen=True)
class _OfClass:
    """The detections of one class in all pictures, highest score first."""

    image: np.ndarray
    """int64 [n]: the picture of each."""
    right: np.ndarray
    ignored: np.ndarray
    present: np.ndarray
    """int64 [images]: how many things of the class are in each picture."""


class AveragePrecision:
    """COCO's average precision: of each class the mean of the precision at 101 recalls.

    The precision at a recall is the highest of any list of detections that reaches it. It is what
    `COCOeval.accumulate` makes of the same matches; pictures may count several times or not at all.
    """

    def __init__(self, hits: Sequence[Hits]) -> None:
        """Take the matches of each picture, in the order of the samples."""
        self._images = len(hits)
        self._classes = list(_split_by_class(hits))

    @property
    def classes(self) -> int:
        """How many classes there is something of."""
        return len(self._classes)

    def fold_draws(self, draws: np.ndarray) -> np.ndarray:
        """Return the mean over the classes at each overlap, float64 [draws, 10], for each draw.

        A draw is numbers of pictures, int64 [n]. A class of which a draw holds nothing does not
        count in it; where that is so of all, the mean is NaN.
        """
        import numpy as np

        longest = max((len(each.image) for each in self._classes), default=1)
        step = max(1, _MOST_VALUES // max(longest, self._images, 1))
        return np.concatenate(
            [np.zeros((0, len(OVERLAPS)))]
            + [self._fold(draws[start : start + step]) for start in range(0, len(draws), step)]
        )

    def _fold(self, draws: np.ndarray) -> np.ndarray:
        import numpy as np

        weights = np.stack([np.bincount(draw, minlength=self._images) for draw in draws])
        total, counted = np.zeros((len(draws), len(OVERLAPS))), np.zeros((len(draws), 1))
        for each in self._classes:
            present = weights @ each.present
            found = np.stack(list(_precisions(each, weights[:, each.image], present)), axis=1)
            total += np.where(present[:, None] > 0, found, 0)
            counted += present[:, None] > 0
        return np.divide(total, counted, out=np.full_like(total, np.nan), where=counted > 0)


def _split_by_class(hits: Sequence[Hits]) -> Iterator[_OfClass]:
    import numpy as np

    images = np.repeat(np.arange(len(hits)), [len(each.scores) for each in hits])
    classes, scores, right, ignored = (
        np.concatenate([getattr(each, name) for each in hits])
        for name in ("classes", "scores", "right", "ignored")
    )
    there = np.concatenate([each.present for each in hits])
    where = np.repeat(np.arange(len(hits)), [len(each.present) for each in hits])
    order = np.argsort(-scores, kind="stable")
    for kind in np.unique(there):
        mine = order[classes[order] == kind]
        present = np.bincount(where[there == kind], minlength=len(hits))
        yield _OfClass(images[mine], right[mine], ignored[mine], present)


def _precisions(each: _OfClass, weights: np.ndarray, present: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the average precision of a class at each overlap, [draws].

    Args:
        each: the detections of the class.
        weights: how often each detection's picture is in a draw, [draws, n].
        present: how many things of the class are in a draw, [draws].
    """
    import numpy as np

    all_counted = weights.cumsum(axis=1)
    for step in range(len(OVERLAPS)):
        right, ignored = each.right[:, step] & ~each.ignored[:, step], each.ignored[:, step]
        counted = np.where(ignored, 0, weights).cumsum(axis=1) if ignored.any() else all_counted
        # Between two right ones precision only falls: those are all that count.
        hits = weights[:, right].cumsum(axis=1)
        precision = hits / (counted[:, right] + _TINY)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        yield _interpolate(hits, best, present)


def _interpolate(hits: np.ndarray, best: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return the mean of the precision at 101 recalls, [draws]; 0 beyond the highest recall.

    Args:
        hits: how many of a list are right up to each that is, [draws, n].
        best: the highest precision from there on, [draws, n].
        present: how many things there are, [draws].
    """
    import numpy as np

    recalls = np.linspace(0.0, 1.0, _RECALLS)
    reached = np.searchsorted(recalls, hits / np.maximum(present, 1)[:, None], side="right")
    first = np.diff(reached, axis=1, prepend=0)  # recalls that nothing before has reached
    means: np.ndarray = (best * first).sum(axis=1) / _RECALLS
    return np.where(present > 0, means, 0.0)
