"""For each tensor the limit, of those that the other kinds find, that quantizes it best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.calib.entropy import Entropy2
from trtbuild.calib.minmax import Minmax
from trtbuild.calib.mse import Mse
from trtbuild.calib.percentile import Percentile
from trtbuild.core.options import Options

if TYPE_CHECKING:
    from trtbuild.calib.histogram import Histogram

__all__ = ["Auto"]


class Auto(Options):
    """Pick for each tensor, of the limits of four kinds, the one with the least error.

    Tried are minmax, percentile, entropy2 and mse with their defaults; measured is the mean of
    |x - Q(x)|^power over what was collected, Q being symmetric INT8. Where no kind is better than
    minmax by more than `margin`, nothing is clipped. The table of ranges says which kind won.
    """

    counts: ClassVar[bool] = True

    kind: Literal["auto"]
    power: Annotated[float, Field(ge=1, le=8)] = 2.4
    """How much a large error weighs against many small ones. At 2 mse always wins, far above it
    minmax does; 2.4 is in use for this in the literature (BRECQ, arXiv:2102.05426)."""
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.02
    """The share of minmax's error that clipping must save; 2 %, since what was collected is a
    sample, and a smaller difference is its noise."""

    def limit(self, histogram: Histogram) -> float:
        """Return the winner's limit."""
        return self.pick(histogram)[1]

    def pick(self, histogram: Histogram) -> tuple[str, float]:
        """Return the kind that wins, and its limit."""
        candidates = (
            Minmax(kind="minmax"),
            Percentile(kind="percentile"),
            Entropy2(kind="entropy2"),
            Mse(kind="mse"),
        )
        found = [(one.kind, one.limit(histogram)) for one in candidates]
        errors = [_measure_error(histogram, limit, self.power) for _, limit in found]
        best = min(errors)
        whole = errors[0] * (1 - self.margin) <= best
        return found[0 if whole else errors.index(best)]


def _measure_error(histogram: Histogram, limit: float, power: float) -> float:
    """Return the mean of |x - Q(x)|^power, x at the centres of the bins, in units of absmax."""
    import numpy as np

    if not limit:
        return 0.0 if not histogram.absmax else 1.0
    filled = np.flatnonzero(histogram.counts)
    values = (filled + 0.5) * (histogram.width / histogram.absmax)
    step = limit / histogram.absmax / 127
    errors = np.abs(values - step * np.minimum(np.round(values / step), 127))
    return float((histogram.counts[filled] * errors**power).sum() / histogram.total)
