"""How sure a figure is: percentiles of seeded resamples, and score intervals of shares.

Two-sided. Resampling is over samples, the same ones for both sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from statistics import NormalDist
from typing import TYPE_CHECKING

from trtbuild.core.comparison import CONFIDENCE, Ends, Interval

if TYPE_CHECKING:
    import numpy as np

__all__ = ["bootstrap_intervals", "draw_samples", "list_confidences", "score_intervals"]

SEED = 1979
"""The year of the bootstrap; any number would do, as long as it stays."""
FEWEST = 2
"""Samples; of one there is nothing to resample."""
_BATCH = 1 << 20
"""How many numbers of samples are drawn at once (8 MiB)."""
_DIGITS = 6
_NEAR_ONE = 1e-3
_STEPS = 60


def list_confidences(asked: Iterable[float]) -> tuple[float, ...]:
    """Return the usual confidence, then those that are asked for beside it."""
    return tuple(dict.fromkeys([CONFIDENCE, *asked]))


def draw_samples(count: int, resamples: int) -> Iterator[np.ndarray]:
    """Yield resamples of `count` samples in batches: int64 [some, count], drawn with replacement.

    They are the same everywhere: NumPy promises the raw numbers of PCG64 for good, and what it
    makes of them with a Generator only for a version. The last bits that scaling to `count` leaves
    uneven are some 2⁻³² × count of a draw.
    """
    import numpy as np

    source = np.random.PCG64(SEED)
    step = max(1, _BATCH // max(1, count))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        raw = source.random_raw(rows * count).reshape(rows, count) >> np.uint64(32)
        yield ((raw * np.uint64(count)) >> np.uint64(32)).astype(np.int64)


def bootstrap_intervals(
    values: np.ndarray,
    references: np.ndarray | None,
    *,
    falls: int,
    confidences: Iterable[float],
) -> tuple[Interval, ...]:
    """Return the percentile intervals of a figure that resamples came to, [resamples] a side.

    Of B values in order, the ends are the k-th from below and from above, with
    k = ⌊(B + 1)·(1 - confidence) / 2⌋ (Efron & Tibshirani, An Introduction to the Bootstrap, 1993,
    chapter 13). A drop is falls·(reference - value) of each resample: `falls` is 1 where high is
    better, -1 where low is. Resamples without a value are left out, half of them at most.
    """
    import numpy as np

    known = np.isfinite(values) if references is None else np.isfinite(values + references)
    if 2 * known.sum() < len(values) or not known.any():
        return ()
    mine = np.sort(values[known])
    other = None if references is None else np.sort(references[known])
    drop = None if references is None else np.sort(falls * (references - values)[known])
    found = []
    for confidence in confidences:
        rank = math.floor((len(mine) + 1) * (1 - confidence) / 2 + 1e-9)
        if rank < 1:
            continue
        found.append(
            Interval(
                confidence=confidence,
                method="bootstrap",
                value=_ends(mine, rank),
                reference=None if other is None else _ends(other, rank),
                drop=None if drop is None else _ends(drop, rank),
            )
        )
    return tuple(found)


def _ends(ordered: np.ndarray, rank: int) -> Ends:
    return _round(float(ordered[rank - 1])), _round(float(ordered[-rank]))


def score_intervals(
    right: np.ndarray, reference: np.ndarray | None, *, confidences: Iterable[float]
) -> tuple[Interval, ...]:
    """Return the score intervals of shares of samples, from what is right: truth values [samples].

    A share of all or of none resamples to itself, however few samples there are; score intervals
    do not shrink to nothing.
    """
    count = len(right)
    hits = int(right.sum())
    found = []
    for confidence in confidences:
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        other = drop = None
        if reference is not None:
            lost, gained = int((reference & ~right).sum()), int((right & ~reference).sum())
            other = _wilson(int(reference.sum()), count, z)
            drop = _tango(lost, gained, count, z)
        found.append(
            Interval(
                confidence=confidence,
                method="score",
                value=_wilson(hits, count, z),
                reference=other,
                drop=drop,
            )
        )
    return tuple(found)


def _wilson(hits: int, count: int, z: float) -> Ends:
    """Return (p + z²/2n ± z·√(p(1 - p)/n + z²/4n²)) / (1 + z²/n), p = hits/n (Wilson, 1927)."""
    share, square = hits / count, z * z / count
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    low = 0.0 if hits == 0 else middle - half
    high = 1.0 if hits == count else middle + half
    return _round(low), _round(high)


def _tango(lost: int, gained: int, count: int, z: float) -> Ends:
    """Return where the score statistic of a paired difference (lost - gained)/n is within ±z.

    (lost - gained - n·d) / √(n·(2q + d(1 - d))), q being the likeliest share of samples gained
    where the difference is d (Tango, Statistics in Medicine 17, 1998).
    """
    middle = (lost - gained) / count

    def far(difference: float) -> bool:
        gap = abs(lost - gained - count * difference)
        return gap > z * math.sqrt(count * _variance(lost, gained, count, difference))

    low, high = (_find_border(middle, end, far) for end in (-1.0, 1.0))
    return _round(low), _round(high)


def _variance(lost: int, gained: int, count: int, difference: float) -> float:
    square = 2 * count
    linear = -lost - gained + (2 * count - lost + gained) * difference
    rest = -gained * difference * (1 - difference)
    root = math.sqrt(max(0.0, linear * linear - 4 * square * rest))
    share = (root - linear) / (2 * square)
    return max(0.0, 2 * share + difference * (1 - difference))


def _find_border(inside: float, outside: float, far: Callable[[float], bool]) -> float:
    """Halve the way between a place that is within and one that is not."""
    if not far(outside):
        return outside
    for _ in range(_STEPS):
        between = (inside + outside) / 2
        inside, outside = (inside, between) if far(between) else (between, outside)
    return (inside + outside) / 2


def _round(value: float) -> float:
    # The last bits of a sum depend on the processor, and nobody is sure of so many digits.
    gap = 1 - value
    if 0 < gap < _NEAR_ONE:  # a cosine, of which what is missing counts
        return round(value, _DIGITS - 1 - math.floor(math.log10(gap)))
    return float(f"{value:.{_DIGITS}g}")
