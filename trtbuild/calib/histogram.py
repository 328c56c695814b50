"""Histogram: all that calibration remembers of a tensor; streaming, exact, mergeable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trtbuild.calib.count import BINS, BLOCK, count_block, merge_bins

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Histogram", "NotFinite"]

_LOWEST_EXPONENT = -96  # below it, BINS / 2^exponent would leave float32's range

_LOSSLESS_DB = 200.0

_MOST_TOPS = 32
"""Five in a hundred of 640 samples."""


class NotFinite(ValueError):
    """The values hold a NaN or an infinity."""


class Histogram:
    """Counts of |x| in equal bins over [0, 2^exponent), with the exact least and largest x.

    A value's bin is floor(|x| * BINS / 2^exponent): scaling by a power of two is exact, and when
    a larger value doubles the span, neighbours merge two by two, as if the wider bins had been
    there from the start. So equal values give equal counts in any order and blocks, and however
    they are shared out over histograms that are merged.

    Memory is BINS counts, whatever the number of values; at least half of the bins lie below the
    largest, unless that is under 2^-97, where bins get no narrower.
    """

    def __init__(self, *, counted: bool = True) -> None:
        """Start empty; where not `counted`, only the least and largest value are kept."""
        import numpy as np

        self.low = math.inf
        self.high = -math.inf
        self.total = 0
        """How many values were added."""
        self.tops: tuple[float, ...] = ()
        """The largest |x| of each of the arrays added, of the highest few, highest first."""
        self.exponent = _LOWEST_EXPONENT
        self.counts: NDArray[np.int64] = np.zeros(BINS if counted else 0, np.int64)

    @property
    def absmax(self) -> float:
        """The largest |x|, exactly; 0 where nothing was added."""
        return max(abs(self.low), abs(self.high)) if self.total else 0.0

    @property
    def width(self) -> float:
        """The width of a bin."""
        return math.ldexp(1.0, self.exponent) / BINS

    def add(self, values: NDArray[np.float32]) -> None:
        """Add values of any shape.

        Raises:
            NotFinite: they hold a NaN or an infinity; the histogram is of no more use.
        """
        flat, top = values.reshape(-1), 0.0
        for start in range(0, flat.size, BLOCK):
            block = flat[start : start + BLOCK]
            # + 0.0 makes 0 of -0: which of the two came first must not show.
            low, high = float(block.min()) + 0.0, float(block.max()) + 0.0
            if not (math.isfinite(low) and math.isfinite(high)):
                raise NotFinite
            top = max(top, abs(low), abs(high))
            exponent = max(self.exponent, _exponent(max(abs(low), abs(high))))
            counts = self.counts  # where none are kept, none are made
            if counts.size:
                counts = count_block(block, exponent, signed=low < 0)
            self._take(low, high, block.size, exponent, counts)
        self._rank(top)

    def _rank(self, *tops: float) -> None:
        self.tops = tuple(sorted((*self.tops, *tops), reverse=True)[:_MOST_TOPS])

    def merge(self, other: Histogram) -> None:
        """Add what another histogram has counted."""
        if other.total:
            self._take(other.low, other.high, other.total, other.exponent, other.counts)
            self._rank(*other.tops)

    def linear(self, bins: int) -> NDArray[np.float64]:
        """Return the counts in `bins` equal bins over [0, absmax].

        Inside a bin of ours the values are taken to be spread evenly, so an edge between two of
        the returned bins is off by less than one of ours: 2 / BINS of absmax at most.
        """
        import numpy as np

        below = np.concatenate(([0.0], np.cumsum(self.counts, dtype=np.float64)))
        at = np.arange(bins + 1) * (self.absmax / bins / self.width)
        edges = np.interp(at, np.arange(BINS + 1), below)
        edges[-1] = self.total
        return np.diff(edges)

    def quantile(self, share: float | Fraction) -> float:
        """Return the least bin edge with `share` (0 to 1) of the |x| at or below it.

        At most one bin (2 / BINS of absmax, but see the class) above the exact order statistic,
        and never above absmax.
        """
        import numpy as np

        wanted = math.ceil(share * self.total)
        place = int(np.searchsorted(np.cumsum(self.counts), wanted))
        return min((place + 1) * self.width, self.absmax)

    @property
    def rms(self) -> float:
        """The root of the mean square, of the centres of the bins; 0 where all values are."""
        import numpy as np

        if not self.absmax:
            return 0.0
        centres = np.arange(self.counts.size) + 0.5
        squares = float((self.counts * centres**2).sum())
        return math.sqrt(squares / self.total) * self.width

    def clipped_db(self, limit: float) -> float:
        """Return the power of the values over that of what a limit cuts off, in dB; 200 at most."""
        import numpy as np

        centres = (np.arange(self.counts.size) + 0.5) * self.width
        lost = float((self.counts * np.maximum(centres - limit, 0.0) ** 2).sum())
        kept = float((self.counts * centres**2).sum())
        return min(10 * math.log10(kept / lost), _LOSSLESS_DB) if lost else _LOSSLESS_DB

    def share_above(self, limit: float) -> float | None:
        """Return the share of the |x| above a limit, to within those in its bin.

        None where it is below absmax and nothing was counted.
        """
        if limit >= self.absmax:
            return 0.0
        if not self.counts.size:
            return None
        return float(self.counts[math.ceil(limit / self.width) :].sum() / self.total)

    def _take(
        self, low: float, high: float, total: int, exponent: int, counts: NDArray[np.int64]
    ) -> None:
        import numpy as np

        self.low, self.high = min(self.low, low), max(self.high, high)
        self.total += total
        if exponent > self.exponent:
            fine, self.counts = self.counts, np.zeros_like(self.counts)
            self._add(merge_bins(fine, exponent - self.exponent))
            self.exponent = exponent
        self._add(merge_bins(counts, self.exponent - exponent))

    def _add(self, counts: NDArray[np.int64]) -> None:
        self.counts[: counts.size] += counts


def _exponent(value: float) -> int:
    """Return the least e with value < 2^e, as far as float32 can scale by it."""
    return max(math.frexp(value)[1], _LOWEST_EXPONENT) if value else _LOWEST_EXPONENT
