"""The whole observed range."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.options import Options

if TYPE_CHECKING:
    from trtbuild.calib.histogram import Histogram

__all__ = ["Minmax"]


class Minmax(Options):
    """Keep the whole observed range: nothing is clipped."""

    counts: ClassVar[bool] = False

    kind: Literal["minmax"]

    def limit(self, histogram: Histogram) -> float:
        """Return max |x|."""
        return histogram.absmax
