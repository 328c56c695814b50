"""Whether one variant is faster than another: the ratio of their times, and a rule that says so.

A difference is found where the whole interval of the ratio (99.9 %) lies beyond what the same thing
twice may differ by: 1 % between variants that took turns in one run, 3 % between runs, which start
with other addresses in memory, clocks and temperatures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from trtbuild.core.timing import Contrast, Shapes

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ALIKE", "ALIKE_APART", "compare_apart", "compare_paired", "merge_alike"]

ALIKE, ALIKE_APART = 0.01, 0.03
"""Ratios so close to 1 are no difference: within a run, and between runs."""
TAIL = 0.0005
"""Of either side of an interval of 99.9 %."""
_Z = 3.2905
"""What a standard normal exceeds with that probability."""
_FEWEST = 12
"""Blocks that are left when neighbours are merged: 99.9 % can be told from 11."""


def compare_paired(
    variant: str, against: str, shapes: Shapes, mine: Sequence[float], theirs: Sequence[float]
) -> Contrast:
    """Compare the block medians of two variants that took turns: block i of one, block i of other.

    Hodges and Lehmann's estimate of the shift of log ratios, with the interval of Wilcoxon's signed
    ranks (Hollander and Wolfe, 3.2 and 3.3): no distribution is assumed, but symmetry.
    """
    import numpy as np

    ratios = merge_alike(np.log(np.asarray(theirs)) - np.log(np.asarray(mine)))
    one, other = np.triu_indices(len(ratios))
    averages = np.sort((ratios[one] + ratios[other]) / 2)
    skip = _find_signed_rank(len(ratios))
    ends = (averages[skip], averages[-1 - skip])
    return _make(variant, against, shapes, float(np.median(averages)), ends, paired=True)


def compare_apart(
    variant: str, against: str, shapes: Shapes, mine: Sequence[float], theirs: Sequence[float]
) -> Contrast:
    """Compare the block medians of two variants that ran at different times.

    Hodges and Lehmann's estimate for two samples, with the interval of Mann and Whitney's ranks by
    its normal approximation (Hollander and Wolfe, 4.2 and 4.3).
    """
    import numpy as np

    one, other = (merge_alike(np.log(np.asarray(each))) for each in (mine, theirs))
    shifts = np.sort((other[:, None] - one[None, :]).ravel())
    pairs, total = len(shifts), len(one) + len(other) + 1
    skip = math.floor(pairs / 2 - _Z * math.sqrt(pairs * total / 12)) - 1
    skip = max(0, min(skip, (pairs - 1) // 2))
    ends = (shifts[skip], shifts[-1 - skip])
    return _make(variant, against, shapes, float(np.median(shifts)), ends, paired=False)


def merge_alike(values: np.ndarray) -> np.ndarray:
    """Average neighbours while they hang together (batch means): what is left counts as apart."""
    import numpy as np

    while len(values) // 2 >= _FEWEST and _correlation(values) > 2 / math.sqrt(len(values)):
        even = values[: len(values) // 2 * 2]
        values = np.asarray(even.reshape(-1, 2).mean(axis=1))
    return values


def _correlation(values: np.ndarray) -> float:
    """Return the correlation of each value with the next; 0 where all are equal."""
    away = values - values.mean()
    power = float((away**2).sum())
    return float((away[1:] * away[:-1]).sum()) / power if power else 0.0


@lru_cache(maxsize=64)
def _find_signed_rank(count: int) -> int:
    """Return how many Walsh averages lie outside the interval on either side.

    One less than the values k with P(W <= k) at most the tail, W the signed rank sum of so many
    values: its generating function is the product of (1 + x^i) / 2.
    """
    import numpy as np

    ways = np.ones(1)
    for rank in range(1, count + 1):
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways / 2
        longer[rank:] += ways / 2
        ways = longer
    below = np.cumsum(ways)
    return max(0, int(np.searchsorted(below, TAIL, side="right")) - 1)


def _make(
    variant: str,
    against: str,
    shapes: Shapes,
    shift: float,
    ends: Sequence[float],
    *,
    paired: bool,
) -> Contrast:
    low, high = (math.exp(each) for each in ends)
    return Contrast(
        variant=variant,
        against=against,
        shapes=shapes,
        ratio=math.exp(shift),
        low=low,
        high=high,
        found=_judge(low, high, ALIKE if paired else ALIKE_APART),
        paired=paired,
    )


def _judge(
    low: float, high: float, alike: float
) -> Literal["faster", "slower", "no difference found"]:
    if low > 1 + alike:
        return "faster"
    return "slower" if high < 1 / (1 + alike) else "no difference found"
