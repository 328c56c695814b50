"""Gates: pass or fail rules on a metric."""

from __future__ import annotations

from trtbuild.core.options import Options, Share
from trtbuild.measure.metrics import Metric

__all__ = ["Gate"]


class Gate(Options):
    """A rule on one metric: at_least, at_most, or how far the candidate may drop."""

    metric: Metric
    output: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    drop_at_most: Share | None = None
