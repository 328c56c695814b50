"""What every calibrator does."""

from __future__ import annotations

from typing import ClassVar, Protocol

from trtbuild.calib.histogram import Histogram

__all__ = ["HostCalibrator"]


class HostCalibrator(Protocol):
    """A kind of calibrator: from what was seen of a tensor to the limit of its range."""

    @property
    def kind(self) -> str:
        """Its name in a recipe."""

    counts: ClassVar[bool]
    """It looks at the distribution; where False, the least and largest value are enough."""

    def limit(self, histogram: Histogram) -> float:
        """Return the largest absolute value to represent; at most `histogram.absmax`."""
