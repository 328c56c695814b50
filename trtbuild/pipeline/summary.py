"""How a pipeline goes, in numbers."""

from __future__ import annotations

from collections.abc import Sequence

from trtbuild.core.options import Options

__all__ = ["PartSummary", "PipelineSummary", "find_percentiles"]

PERCENTILES = (50, 90, 99)


class PartSummary(Options):
    """One part of a stage."""

    stage: str
    part: str
    items: int
    busy: float
    """The share of the time, 0..1, in which it worked: the part nearest to 1 decides the rate."""
    left_out: int
    """Frames for which a function returned None."""
    dropped: int
    """Frames that went from its queue for want of room."""
    queue_mean: float
    """How many waited on average when one more came."""
    queue_longest: int
    runs: str = ""
    """What runs its model, and where; of a part without a model, nothing."""
    why: tuple[str, ...] = ()
    """Why no engine before that runs, and what is not known of it."""


class PipelineSummary(Options):
    """A whole run, or so far."""

    frames: int
    """That came in."""
    results: int
    """That came out."""
    dropped: int
    seconds: float
    delays_ms: dict[str, float]
    """From a frame's coming in to its result: `p50`, `p90`, `p99`; empty without results."""
    parts: tuple[PartSummary, ...]
    code: dict[str, str]
    """Files of functions, each with its digest."""

    @property
    def rate(self) -> float:
        """Results a second."""
        return self.results / self.seconds


def find_percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return percentiles in milliseconds, each a value that was seen: the nearest rank."""
    ranked = sorted(seconds)
    if not ranked:
        return {}
    last = len(ranked) - 1
    return {
        f"p{each}": 1e3 * ranked[min(last, -(-each * len(ranked) // 100) - 1)]
        for each in PERCENTILES
    }
