"""Percentiles of the times of calls, with intervals that ask nothing of their distribution.

Calls that follow each other are not independent: a machine that is busy is so for a while. How
much they hang together is read off the blocks, and so many fewer calls are taken to be there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from trtbuild.core.timing import Spread, TimePercentile

if TYPE_CHECKING:
    import numpy as np

__all__ = ["count_effective", "find_ranks", "summarize"]

CONFIDENCE = 0.95
_NS = 1e-6
"""Milliseconds in a nanosecond."""
_FAR = 8
"""Deviations: nothing worth counting lies further from the mean of a binomial."""


def summarize(blocks: Sequence[Sequence[float]], *, unit_ms: float = _NS) -> Spread:
    """Return percentiles of blocks of times (`unit_ms` ms each), none of them dropped.

    The interval of a percentile p lies between two order statistics (David and Nagaraja, Order
    Statistics, 7.1): ranks between which a binomial of so many effective calls falls.
    """
    import numpy as np

    each = [np.asarray(block, np.float64) * unit_ms for block in blocks if len(block)]
    times = np.sort(np.concatenate(each))
    p50, p90, p99 = (_percentile(times, each, share) for share in (0.5, 0.9, 0.99))
    return Spread(
        calls=len(times),
        mean=float(times.mean()),
        least=float(times[0]),
        most=float(times[-1]),
        p50=p50,
        p90=p90,
        p99=p99,
        blocks=tuple(float(np.median(block)) for block in each),
    )


def _percentile(times: np.ndarray, blocks: Sequence[np.ndarray], share: float) -> TimePercentile:
    import numpy as np

    value = float(np.quantile(times, share, method="hazen"))
    effective = count_effective(blocks, value, share)
    low, high = find_ranks(effective, share)
    stretch = len(times) / effective
    at = [None if rank is None else round(rank * stretch) for rank in (low, high)]
    ends = [
        None if rank is None else float(times[min(max(rank - 1, 0), len(times) - 1)]) for rank in at
    ]
    return TimePercentile(
        ms=value,
        low=None if ends[0] is None else min(ends[0], value),
        high=None if ends[1] is None else max(ends[1], value),
    )


def count_effective(blocks: Sequence[np.ndarray], value: float, share: float) -> int:
    """Return how many independent calls tell as much of a percentile as these do.

    Of a share p of n calls, variance p(1-p)/n is due to chance; that of the blocks' own shares,
    over it, is the design effect of cluster samples (Kish), by which n is divided: never below 1,
    and never below a call a block.
    """
    import numpy as np

    total = sum(map(len, blocks))
    if len(blocks) < 2:  # noqa: PLR2004  # nothing to compare
        return total
    sizes = np.array([len(block) for block in blocks])
    shares = np.array([(block <= value).mean() for block in blocks])
    among = float((sizes * (shares - share) ** 2).sum() / (len(blocks) - 1))
    effect = max(1.0, among / (share * (1 - share)))
    return max(len(blocks), round(total / effect))


@lru_cache(maxsize=256)
def find_ranks(count: int, share: float) -> tuple[int | None, int | None]:
    """Return the ranks (from 1) between which a percentile of `count` calls lies; None: no such.

    The largest l and the least u with P(X < l) and P(X >= u) at most 2.5 %, X binomial.
    """
    tail = (1 - CONFIDENCE) / 2
    low = high = None
    below = 0.0
    first = math.floor(count * share - _FAR * math.sqrt(count * share * (1 - share)))
    for rank in range(max(1, first), count + 1):
        below += _binomial(count, rank - 1, share)  # P(X <= rank - 1)
        if below <= tail:
            low = rank
        if 1 - below <= tail:
            high = rank
            break
    return low, high


def _binomial(count: int, hits: int, share: float) -> float:
    """Return P(X = hits)."""
    ways = math.lgamma(count + 1) - math.lgamma(hits + 1) - math.lgamma(count - hits + 1)
    return math.exp(ways + hits * math.log(share) + (count - hits) * math.log1p(-share))
