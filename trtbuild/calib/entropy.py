"""Clip where the quantized distribution tells least from the real one (KL divergence)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.options import Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.calib.histogram import Histogram

__all__ = ["Entropy", "Entropy2"]

Bins = Annotated[int, Field(ge=512, le=8192)]
Levels = Annotated[int, Field(ge=16, le=256)]
_ROUNDING = 1e-9
_LOST = 0.01
"""The largest share of the counts that a cut may leave above it.

The divergence does not see what is lost where the values keep away from 0: of pixels from 30 to
255, a cut at the first filled bin folds all of them into it, and diverges by 0. The tails that the
search cut off on trained models held 0.1 % at most."""


class Entropy(Options):
    """Clip by KL divergence as NVIDIA first presented it; `entropy2` is its better successor.

    Migacz, "8-bit inference with TensorRT" (GTC 2017): as `entropy2`, but the first bin is left
    out altogether, and the limit is the middle of the last bin that is kept. Where the original
    takes the lowest of equal cuts and never the whole range, this takes the highest, the whole
    range included: an input with few distinct values would be clipped to the smallest of them.
    """

    counts: ClassVar[bool] = True

    kind: Literal["entropy"]
    bins: Bins = 2048
    """Bins of the histogram that is searched; more bins, finer limits. 2048 as NVIDIA has it."""
    levels: Levels = 128
    """Steps that one sign of the quantized type has, zero included; 128 for INT8."""

    def limit(self, histogram: Histogram) -> float:
        """Return the middle of the bin below the cut with the least KL; all, where that is all."""
        bins = histogram.linear(self.bins)
        bins[0] = 0
        cut = _best_cut(bins, self.levels)
        return (cut - 0.5 if cut < self.bins else cut) / self.bins * histogram.absmax


class Entropy2(Options):
    """Clip each tensor where the KL divergence of the quantized histogram is least.

    NVIDIA's published reference (pytorch-quantization, calib/histogram.py, TensorRT 8.6):
    `bins` equal bins of |x| over [0, max |x|], the count of the first replaced by that of the
    second. For each cut i from `levels` to `bins`, the reference is the first i bins with all that
    lies above folded into the last of them; the candidate is the first i bins merged into `levels`
    groups and spread evenly over the bins of each group that are not empty. The limit is the upper
    edge of the last cut of least KL.

    Why the first bin is replaced: where a ReLU leaves a spike at zero, every group that spreads
    the spike over its other bins diverges, and a search that keeps it cuts at `levels` bins, the
    one cut that spreads nothing. With half of all values zero it clips a normal distribution to
    two standard deviations.

    As in the reference, no cut is made at an empty bin, so a lone outlier beyond a gap is kept:
    `percentile` and `mse` give it up. Unlike in the reference, no cut is made that leaves more than
    1 % of the counts above it: where no value is near zero, the reference keeps the smallest alone.
    """

    counts: ClassVar[bool] = True

    kind: Literal["entropy2"]
    bins: Bins = 2048
    """Bins of the histogram that is searched; more bins, finer limits. 2048 as NVIDIA has it."""
    levels: Levels = 128
    """Steps that one sign of the quantized type has, zero included; 128 for INT8."""

    def limit(self, histogram: Histogram) -> float:
        """Return the upper edge of the last cut i with the least KL(reference, candidate)."""
        bins = histogram.linear(self.bins)
        bins[0] = bins[1]
        return _best_cut(bins, self.levels) / self.bins * histogram.absmax


def _best_cut(bins: NDArray[np.float64], levels: int) -> int:
    """Return the highest of the cuts with the least divergence, but for rounding errors.

    Where few bins are filled, cuts that lose nothing and cuts that lose much may both have a
    divergence of 0.
    """
    import numpy as np

    kept = np.cumsum(bins)[levels - 1 :]
    kl = np.where(kept < (1 - _LOST) * kept[-1], np.inf, compute_divergences(bins, levels))
    return levels + int(np.flatnonzero(kl <= kl.min() + _ROUNDING)[-1])


def compute_divergences(bins: NDArray[np.float64], levels: int) -> NDArray[np.float64]:
    """Return KL(reference, candidate) of each cut i from `levels` to the number of bins.

    With S the sum of a group and n its bins that are not empty, T all counts and t those above
    the cut, KL = (sum r log r - sum S log(S/n) - t log(S/n of the last group)) / T
    - log T + log(T - t), so a cut costs its groups and not its bins. A cut whose last bin is
    empty while t is not cannot be represented: infinity.
    """
    import numpy as np

    cuts = np.arange(levels, bins.size + 1)
    mass = np.concatenate(([0.0], np.cumsum(bins)))
    filled = np.concatenate(([0], np.cumsum(bins > 0)))
    own = np.concatenate(([0.0], np.cumsum(_times_log(bins, bins))))
    edges = _edges(bins.size, levels)
    groups, members = np.diff(mass.take(edges)), np.diff(filled.take(edges))
    even = groups / np.maximum(members, 1)
    total, kept, last = mass[-1], mass[cuts], bins[cuts - 1]
    tail = total - kept
    reference = own[cuts - 1] + _times_log(last + tail, last + tail)
    candidate = _times_log(groups, even).sum(axis=1) + _times_log(tail, even[:, -1])
    usable = (last > 0) | (tail <= 0)
    result = np.full(cuts.size, np.inf)
    if total > 0:
        shift = np.log(total) - np.log(np.where(kept > 0, kept, 1))
        np.copyto(result, (reference - candidate) / total - shift, where=usable & (kept > 0))
    return result


def _times_log(count: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return count * log(value), and 0 where both are 0."""
    import numpy as np

    product: NDArray[np.float64] = count * np.log(np.maximum(value, np.finfo(np.float64).tiny))
    return product


@functools.lru_cache(maxsize=4)
def _edges(bins: int, levels: int) -> NDArray[np.int64]:
    """Return where the groups of each cut begin and end: [cuts, levels + 1].

    Group k of cut i holds the bins j with floor(levels * j / i) == k.
    """
    import numpy as np

    cuts = np.arange(levels, bins + 1)
    return -(-np.arange(levels + 1) * cuts[:, None] // levels)
