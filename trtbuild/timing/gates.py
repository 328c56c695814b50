"""Gates on speed: pass or fail rules on what a bench has measured, as a recipe says them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.durations import format_times
from trtbuild.core.options import NonEmpty, Options, Share

__all__ = ["FasterThan", "SpeedGate"]


class FasterThan(Options):
    """Another variant, and by how much it is to be beaten."""

    variant: NonEmpty
    """A variant by name, or a model (`fp32`), run by the same runner."""
    by: Annotated[float, Field(ge=1, le=1000)] = 1.0
    """The other's time over this one's: 1.2 is 20 % more time."""


class SpeedGate(Options):
    """A rule on the time of variants, judged by intervals, not by points."""

    variant: NonEmpty
    """Which variants: by name or pattern (`int8/*`), or a model's name alone (`int8`)."""
    batch: Annotated[int, Field(ge=1)] | None = None
    """At this batch size alone; at every set of shapes by default."""
    metric: Literal["p50_ms", "p90_ms", "p99_ms"] = "p50_ms"
    """Of which percentile the bound is."""
    at_most: Annotated[float, Field(gt=0)] | None = None
    """The longest time, in ms: the high end of the interval (95 %) must not be above it."""
    faster_than: FasterThan | None = None
    """Another variant that must take so many times as long: the low end of the interval of their
    ratio (99.9 %) must not be below it."""
    slower_than_lock_at_most: Share | None = None
    """By how much p50 may have grown since the lock (5%). Fails where the whole interval lies
    beyond that of the lock, and 3 % that two runs may differ by; not judged under another protocol
    or on another machine."""

    @model_validator(mode="after")
    def _has_one_rule(self) -> Self:
        rules = (self.at_most, self.faster_than, self.slower_than_lock_at_most)
        if sum(rule is not None for rule in rules) != 1:
            raise ValueError(
                "a gate on speed has one of at_most, faster_than and slower_than_lock_at_most"
            )
        return self

    def describe(self) -> str:
        """Say it in words."""
        at = f" at batch {self.batch}" if self.batch is not None else ""
        if self.at_most is not None:
            return f"{self.variant}{at}: {self.metric} ≤ {self.at_most:g}"
        if self.faster_than is not None:
            by = format_times(self.faster_than.by)
            return f"{self.variant}{at}: faster than {self.faster_than.variant} by {by}"
        grown = f"{100 * (self.slower_than_lock_at_most or 0):g} %"
        return f"{self.variant}{at}: p50 no more than {grown} above the lock"
