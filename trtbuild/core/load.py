"""Requests that come whether or not those before are answered: what is asked, and what came of it.

Times count from when a request was due, not from when somebody had time for it: what a stall costs
those who wait behind it is counted (no coordinated omission).
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.durations import format_rate
from trtbuild.core.options import Options
from trtbuild.core.spread import NotRun, Shapes, Spread

__all__ = ["MOST_REQUESTS", "Load", "LoadResult", "LoadRow", "QueueLength", "Verdict"]

MOST_REQUESTS = 2_000_000
"""At one rate."""

Verdict = Literal["keeps up", "at its limit", "cannot keep up"]


class Load(Options):
    """Requests of one sample each that come at a rate of their own, to one caller of the model."""

    rates: Annotated[tuple[Annotated[float, Field(gt=0, le=1e6)], ...], Field(min_length=1)]
    """So many requests a second; several are measured one after the other."""
    arrivals: Literal["poisson", "uniform"] = "poisson"
    """Whether they come by chance, as from many clients (a Poisson process, drawn from `seed`), or
    evenly, as from a camera."""
    seconds: Annotated[float, Field(gt=0, le=3600)] = 10.0
    """How long they come at each rate."""
    max_batch: Annotated[int, Field(ge=1, le=256)] = 1
    """How many a call takes at most, where the model has an open batch axis."""
    max_wait_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    """How long a call that could start is held for more to come, in ms."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """What the times of requests are drawn from."""

    @model_validator(mode="after")
    def _is_countable(self) -> Self:
        if max(self.rates) * self.seconds > MOST_REQUESTS:
            raise ValueError(f"more than {MOST_REQUESTS} requests at one rate: take fewer seconds")
        if min(self.rates) * self.seconds < 1:
            raise ValueError("not one request comes in so short a time: take more seconds")
        return self

    def describe(self) -> str:
        """Say it in words."""
        how = "by chance" if self.arrivals == "poisson" else "evenly"
        held = f", held {self.max_wait_ms:g} ms for more" if self.max_wait_ms else ""
        batches = "one a call" if self.max_batch == 1 else f"up to {self.max_batch} a call{held}"
        return f"requests that come {how} for {self.seconds:g} s, {batches}"


class QueueLength(Options):
    """How many requests were waiting, not yet in a call."""

    mean: float
    """Over time."""
    most: int
    over_time: tuple[tuple[float, float], ...]
    """Seconds since the first might have come → the mean of the slice of time that ends there."""


class LoadRow(Options):
    """One variant at one rate."""

    variant: str
    shapes: Shapes
    """Of one request."""
    rate: float
    """Asked: requests a second."""
    requests: int
    """How many came."""
    answered: int
    """How many of them were answered before it was given up, as long again after the last came."""
    per_second: float
    """Answers a second, from the first request to the last answer."""
    latency: Spread
    """From when a request was due to its answer, in ms; of one that has none, to the end."""
    queued_ms: float
    """Mean of what a request waited while the model was busy with others."""
    held_ms: float
    """Mean of what it waited for others to come, the model being free."""
    running_ms: float
    """Mean of the time of its call, copies to a GPU and back included."""
    batch: float
    """Requests a call, on average."""
    busy: float
    """Share of the time that the model was running, 0 to 1."""
    queue: QueueLength
    growth_per_second: float
    """By how many requests the queue had grown when the last came, over the seconds until then."""
    verdict: Verdict
    remarks: tuple[str, ...] = ()

    def describe(self) -> str:
        """Say in words whether it keeps up."""
        if self.verdict != "cannot keep up":
            return self.verdict
        return f"{self.verdict}: the queue grows by {format_rate(self.growth_per_second)} a second"


class LoadResult(Options):
    """What came of all rates."""

    asked: Load
    sizes: tuple[int, ...]
    """Of batches that are run: one of another size is filled up to the next of these."""
    rows: tuple[LoadRow, ...]
    not_run: tuple[NotRun, ...] = ()
