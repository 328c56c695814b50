"""How times are spread: percentiles with intervals; and what was not measured, and why."""

from trtbuild.core.options import Options

__all__ = ["NotRun", "Shapes", "Spread", "TimePercentile"]

Shapes = dict[str, tuple[int, ...]]
"""Input → its shape, all axes."""


class TimePercentile(Options):
    """A percentile of the times of calls, and where it lies with 95 % confidence, in ms."""

    ms: float
    low: float | None
    high: float | None
    """None where so few calls do not bound it."""


class Spread(Options):
    """The times of counted calls, outliers among them, in ms."""

    calls: int
    mean: float
    least: float
    most: float
    p50: TimePercentile
    p90: TimePercentile
    p99: TimePercentile
    blocks: tuple[float, ...]
    """The median of each block, in the order of the rounds."""


class NotRun(Options):
    """A variant that was not run, and why."""

    name: str
    reason: str
