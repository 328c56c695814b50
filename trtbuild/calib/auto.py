"""The limits with which the whole model errs least, of those of several kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.calib.entropy import Entropy2
from trtbuild.calib.minmax import Minmax
from trtbuild.calib.mse import Mse
from trtbuild.calib.percentile import Percentile
from trtbuild.core.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trtbuild.calib.histogram import Histogram

__all__ = ["Auto"]

BINS = 2048
NARROWEST = 1 / 16
"""The least limit looked at, as a share of max |x|: below it steps are narrower than BINS tell."""
COARSE, FINE = 32, 9
"""How many limits the search looks at: evenly in their logarithm, and then around the best."""


class Auto(Options):
    """Take the kind of limits with which the quantized model errs least on real samples.

    A contest of tables of limits, run in a second pass over some of the calibration samples. One,
    `readers`, is taken unless another is better by more than twice the standard error of the
    difference, paired by sample: for each tensor it has the limit with which the layers that read
    it, their weights quantized too, err least. The others are five kinds by themselves: mse,
    percentile, entropy2 and minmax with their defaults, and `power`, the limit of the least mean
    |x - Q(x)|^power, between mse's and minmax's. What is worse than `readers` on a quarter or half
    of the runs is not run on the rest.

    Judged are the outputs of the whole quantized model against those of the model as it is, in dB
    over all samples together, each output alike; so do parts of an output whose scales are unlike
    (boxes and scores). They make two thirds of the score, and one the last three tensors that
    layers read in INT8, which tell more of small differences. How INT8 rounds is chance, and limits
    1 % apart may differ by 1 dB: each run has limits that are up to 6 % wider than asked, by other
    shares. The build says what was taken and how the tables did, and the table of ranges where each
    limit is from.

    Where that cannot be done (a plugin stands before the outputs, or they hold no floats) the
    histogram of each tensor decides between `power` and minmax.
    """

    counts: ClassVar[bool] = True
    KINDS: ClassVar[tuple[str, ...]] = ("mse", "power", "percentile", "entropy2", "minmax")
    """What there is to choose from."""
    BASIS: ClassVar[str] = "mse"
    """What the others have to be better than where `readers` cannot be found."""

    kind: Literal["auto"]
    power: Annotated[float, Field(ge=1, le=8)] = 2.4
    """How much a large error weighs against many small ones. At 2 it is mse, far above it minmax;
    2.4 is in use for this in the literature (BRECQ, arXiv:2102.05426)."""
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.02
    """The share of minmax's error that clipping must save where a histogram decides; 2 %, since
    what was collected is a sample, and a smaller difference is its noise."""
    samples: Annotated[int, Field(ge=0, le=4096)] = 128
    """The most calibration samples that judge, evenly spread: one in eight, each run some eight
    times, but at least 32, and more where the model is small. 0: histograms decide."""

    def limit(self, histogram: Histogram) -> float:
        """Return the limit that the histogram alone decides for."""
        return self.pick(histogram)[1]

    def pick(self, histogram: Histogram) -> tuple[str, float]:
        """Return the kind that the histogram alone decides for, and its limit."""
        whole, found = histogram.absmax, self._search(histogram)
        if not whole:
            return "minmax", 0.0
        errors = [_measure_error(histogram, limit, self.power) for limit in (whole, found)]
        keeps = errors[0] * (1 - self.margin) <= errors[1]
        return ("minmax", whole) if keeps else ("power", found)

    def offer(self, histogram: Histogram) -> Mapping[str, float]:
        """Return the limit of each of KINDS."""
        return {
            "mse": Mse(kind="mse").limit(histogram),
            "power": self._search(histogram),
            "percentile": Percentile(kind="percentile").limit(histogram),
            "entropy2": Entropy2(kind="entropy2").limit(histogram),
            "minmax": Minmax(kind="minmax").limit(histogram),
        }

    def _search(self, histogram: Histogram) -> float:
        """Return the limit of least error: a coarse look first, then a closer one."""
        import numpy as np

        if not histogram.absmax:
            return 0.0
        shares = np.geomspace(1, NARROWEST, COARSE)
        step = shares[0] / shares[1]
        for _ in range(2):
            errors = [_measure_error(histogram, x * histogram.absmax, self.power) for x in shares]
            best = shares[int(np.argmin(errors))]
            shares = np.minimum(1, np.geomspace(best * step, best / step, FINE))
        return float(best * histogram.absmax)


def _measure_error(histogram: Histogram, limit: float, power: float) -> float:
    """Return the mean of |x - Q(x)|^power, x at the centres of the bins, in units of absmax."""
    import numpy as np

    if not limit:
        return 0.0 if not histogram.absmax else 1.0
    counts = histogram.linear(BINS)
    filled = np.flatnonzero(counts)
    values = (filled + 0.5) / BINS
    step = limit / histogram.absmax / 127
    errors = np.abs(values - step * np.minimum(np.round(values / step), 127))
    return float((counts[filled] * errors**power).sum() / histogram.total)
