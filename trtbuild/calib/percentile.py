"""Clip at a percentile of the absolute values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.options import Options

if TYPE_CHECKING:
    from trtbuild.calib.histogram import Histogram

__all__ = ["Percentile"]


class Percentile(Options):
    """Clip each tensor at a percentile of its absolute values; outliers saturate."""

    counts: ClassVar[bool] = True

    kind: Literal["percentile"]
    percentile: Annotated[float, Field(gt=50, le=100)] = 99.99
    """Percent of the values that are not clipped. 99.99 as NVIDIA's reference has it."""

    def limit(self, histogram: Histogram) -> float:
        """Return the least bin edge with `percentile` percent of the |x| at or below it.

        At most one bin of the histogram above the exact order statistic, and never above max |x|.
        NVIDIA's reference takes the lower edge of that bin, and so clips more than was asked for.
        """
        from fractions import Fraction

        # As written in decimal: 99.99 percent of 10 000 values are 9 999, not one more or less.
        return histogram.quantile(Fraction(str(self.percentile)) / 100)
