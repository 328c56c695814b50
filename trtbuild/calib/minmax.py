"""The whole observed range."""

from __future__ import annotations

from typing import ClassVar, Literal

from trtbuild.calib.histogram import Histogram
from trtbuild.core.options import Options

__all__ = ["Minmax"]


class Minmax(Options):
    """Keep the whole observed range: nothing is clipped."""

    counts: ClassVar[bool] = False

    kind: Literal["minmax"]

    def limit(self, histogram: Histogram) -> float:
        """Return max |x|."""
        return histogram.absmax
