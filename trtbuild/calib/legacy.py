"""TensorRT's legacy calibrator: a fraction of a quantile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.options import Options

if TYPE_CHECKING:
    from trtbuild.calib.histogram import Histogram

__all__ = ["Legacy"]


class Legacy(Options):
    """Clip each tensor at a fraction of a quantile of its absolute values, as TensorRT 2 did.

    `IInt8LegacyCalibrator` (NvInfer.h) takes a region's maximum at `quantile` and the fraction
    `regression_cutoff` of it. TensorRT's own regression was never published: here the limit is
    regression_cutoff * quantile(|x|), which with a cutoff of 1 is what NVIDIA's BERT demo uses
    the class for.
    """

    counts: ClassVar[bool] = True

    kind: Literal["legacy"]
    quantile: Annotated[float, Field(gt=0.5, le=1)] = 0.9999
    """Share of the values at or below the region's maximum. 0.9999 as NVIDIA's BERT demo has it;
    the 0.5 that Polygraphy fills in would clip half of all values."""
    regression_cutoff: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the region's maximum that is kept. 1 as NVIDIA's BERT demo has it."""

    def limit(self, histogram: Histogram) -> float:
        """Return regression_cutoff * quantile(|x|), to within one bin."""
        from fractions import Fraction

        return self.regression_cutoff * histogram.quantile(Fraction(str(self.quantile)))
