"""Clip where the squared error of quantization is least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.options import Options

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.calib.histogram import Histogram

__all__ = ["Mse", "compute_squared_errors"]


class Mse(Options):
    """Clip each tensor where the mean squared error of quantizing it is least.

    The search of NVIDIA's published reference (pytorch-quantization, calib/histogram.py, TensorRT
    8.6) over `bins` equal bins of |x|, with two differences: a limit is the upper edge of a bin,
    not its centre, so that clipping nothing is among the candidates; and the error is summed over
    the finer bins that were collected.
    """

    counts: ClassVar[bool] = True

    kind: Literal["mse"]
    bins: Annotated[int, Field(ge=512, le=8192)] = 2048
    """How many limits are tried, evenly spaced up to max |x|. 2048 as NVIDIA has it."""
    levels: Annotated[int, Field(ge=16, le=256)] = 128
    """Steps that one sign of the quantized type has, zero included; 128 for INT8."""

    def limit(self, histogram: Histogram) -> float:
        """Return the largest limit of least squared error; no less than levels / bins of max |x|.

        Below that, a step would be narrower than the bins tell apart.
        """
        import numpy as np

        limits = np.arange(self.levels, self.bins + 1) / self.bins * histogram.absmax
        errors = compute_squared_errors(histogram, limits, self.levels)
        return float(limits[len(errors) - 1 - int(np.argmin(errors[::-1]))])


def compute_squared_errors(
    histogram: Histogram, limits: NDArray[np.float64], levels: int
) -> NDArray[np.float64]:
    """Return the sum of (x - Q(x))^2 for each limit a: Q(x) = s * min(round(|x| / s), levels - 1).

    With s = a / (levels - 1), x at the centres of the bins, and n(t) and m(t) the count and the
    sum of the x above t, it is sum x^2 - 2 s sum_k m((k - 1/2) s) + s^2 sum_k (2k - 1)
    n((k - 1/2) s) for k from 1 to levels - 1: a limit costs its levels and not its bins.
    """
    import numpy as np

    # In units of a bin's width: the powers of two that tensors are scaled by do not show.
    centres = np.arange(histogram.counts.size) + 0.5
    counts = histogram.counts.astype(np.float64)
    sums = counts * centres
    above = np.concatenate((np.cumsum(counts[::-1])[::-1], [0.0]))
    sums_above = np.concatenate((np.cumsum(sums[::-1])[::-1], [0.0]))
    steps = limits / (levels - 1) / histogram.width
    ranks = np.arange(1, levels)
    # A centre c + 1/2 lies above t from bin ceil(t - 1/2) on.
    first = np.ceil(steps[:, None] * (ranks - 0.5) - 0.5).astype(np.int64)
    first = np.clip(first, 0, counts.size)
    found: NDArray[np.float64] = (
        (sums * centres).sum()
        - 2 * steps * sums_above[first].sum(axis=1)
        + steps**2 * (above[first] @ (2.0 * ranks - 1))
    )
    return found * histogram.width**2
