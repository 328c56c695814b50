"""Executor and Listener protocols, and what passes between them and the walk."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from trtbuild.core.action import Outcome
from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.needs import Needs
from trtbuild.core.options import Location, Options
from trtbuild.machine.places import Place
from trtbuild.steps.base import StepValue

if TYPE_CHECKING:
    from trtbuild.plan.explain import Decision
    from trtbuild.plan.plan import Plan

__all__ = ["Call", "CallResult", "Executor", "Listener", "QuietListener", "StepProgress"]


class Call(Options):
    """A step to run, with everything it needs: JSON in, files out.

    Every path in it is a `Location`, those within the step included, so that an executor can have
    it carried out on copies somewhere else (`core.options.relocate`).
    """

    name: str
    step: StepValue
    inputs: dict[str, Location]
    """`step/output` → the file."""
    out: Location
    """An empty directory for the outputs."""
    log: Location
    """A file for what the step and its libraries print."""
    facts: dict[str, str] = {}
    caveats: tuple[str, ...] = ()


class StepProgress(Options):
    """How far a running step is."""

    name: str
    done: int
    total: int
    unit: str


class CallResult(Options):
    """How a call ended; an empty message means well."""

    name: str
    seconds: float
    where: str
    message: str = ""
    hint: str = ""
    code: int = 0
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    log_level: LogLevel = USUAL
    ended_by: str = ""
    """The signal that ended its process, where one did."""
    gpu_full: bool = False
    """Whether it failed since a GPU that it computed on had no memory left."""
    observed: dict[str, str] = {}
    """What user code was seen to rest on, and what that was where it ran."""


class Executor(Protocol):
    """Where steps run: a few verbs, so that the walk can be tested without running anything.

    How many threads a step gets, under which Python and on which GPU it runs, how much of a
    builder's log is written and when it has taken too long are the executor's affair.
    """

    def place(self, needs: Needs) -> Place:
        """Say where a step would run: what is installed there, or why it cannot run."""

    def has_room(self, needs: Needs) -> bool:
        """Tell whether a step that takes up this much may start now."""

    def start(self, call: Call) -> None:
        """Start a call; returns at once."""

    def wait(self, timeout_seconds: float) -> CallResult | StepProgress | None:
        """Return the next thing that happened, or None if nothing did in time."""

    def close(self) -> None:
        """Stop what is still running."""


class Listener(Protocol):
    """Who is told what happens: a terminal, a log."""

    def planned(self, plan: "Plan", decisions: "Sequence[Decision]") -> None:
        """Hear what is about to be done."""

    def expected(self, seconds: Mapping[str, float]) -> None:
        """Hear how long steps took when they last ran, by their names."""

    def started(self, name: str) -> None:
        """Hear that a step has started."""

    def progressed(self, progress: StepProgress) -> None:
        """Hear how far a step is."""

    def waiting(self, name: str) -> None:
        """Hear that another process runs a step, and that this one waits for it."""

    def damaged(self, name: str, message: str) -> None:
        """Hear that what a step had left was damaged; it runs again."""

    def moved(self, message: str) -> None:
        """Hear that all is computed somewhere else from here on, and why."""

    def extended(self, message: str) -> None:
        """Hear what is done beyond the plan, why, and what it costs."""

    def finished(self, outcome: Outcome) -> None:
        """Hear how a step ended, reused ones included."""


class QuietListener:
    """A listener that hears everything and says nothing."""

    def planned(self, plan: "Plan", decisions: "Sequence[Decision]") -> None:
        """Say nothing."""

    def expected(self, seconds: Mapping[str, float]) -> None:
        """Say nothing."""

    def started(self, name: str) -> None:
        """Say nothing."""

    def progressed(self, progress: StepProgress) -> None:
        """Say nothing."""

    def waiting(self, name: str) -> None:
        """Say nothing."""

    def damaged(self, name: str, message: str) -> None:
        """Say nothing."""

    def moved(self, message: str) -> None:
        """Say nothing."""

    def extended(self, message: str) -> None:
        """Say nothing."""

    def finished(self, outcome: Outcome) -> None:
        """Say nothing."""
