"""Executor and Listener protocols; Inline (runs steps right here)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from trtbuild.core.options import Options
from trtbuild.core.records import Outcome
from trtbuild.steps import AnyStep

if TYPE_CHECKING:
    from trtbuild.plan.explain import Decision
    from trtbuild.plan.plan import Plan

__all__ = ["Call", "Executor", "Finished", "Inline", "Listener", "Progress", "Quiet"]


class Call(Options):
    """A step to run, with everything it needs: JSON in, files out."""

    name: str
    step: AnyStep
    inputs: dict[str, str]
    """`step/output` → the file."""
    out: str
    """An empty directory for the outputs."""
    log: str
    """A file for what the step and its libraries print."""
    facts: dict[str, str] = {}
    python: str = ""
    """The Python to run it under; empty for the executor's own."""
    caveats: tuple[str, ...] = ()
    threads: int = 0


class Progress(Options):
    """How far a running step is."""

    name: str
    done: int
    total: int
    unit: str


class Finished(Options):
    """How a call ended; an empty message means well."""

    name: str
    seconds: float
    where: str
    message: str = ""
    hint: str = ""
    code: int = 0
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


class Executor(Protocol):
    """Where steps run: three verbs, so that the walk can be tested without running anything."""

    threads: int
    """How many threads this executor's machine gives to steps, all together."""

    def has_room(self) -> bool:
        """Tell whether another call may start now."""

    def start(self, call: Call) -> None:
        """Start a call; returns at once."""

    def wait(self, timeout_seconds: float) -> Finished | Progress | None:
        """Return the next thing that happened, or None if nothing did in time."""

    def close(self) -> None:
        """Stop what is still running."""


class Listener(Protocol):
    """Who is told what happens: a terminal, a log."""

    def planned(self, plan: Plan, decisions: Sequence[Decision]) -> None:
        """Hear what is about to be done."""

    def expected(self, seconds: Mapping[str, float]) -> None:
        """Hear how long steps took when they last ran, by their names."""

    def started(self, name: str) -> None:
        """Hear that a step has started."""

    def progressed(self, progress: Progress) -> None:
        """Hear how far a step is."""

    def waiting(self, name: str) -> None:
        """Hear that another process runs a step, and that this one waits for it."""

    def damaged(self, name: str, message: str) -> None:
        """Hear that what a step had left was damaged; it runs again."""

    def finished(self, outcome: Outcome) -> None:
        """Hear how a step ended, reused ones included."""


class Quiet:
    """A listener that hears everything and says nothing."""

    def planned(self, plan: Plan, decisions: Sequence[Decision]) -> None:
        """Say nothing."""

    def expected(self, seconds: Mapping[str, float]) -> None:
        """Say nothing."""

    def started(self, name: str) -> None:
        """Say nothing."""

    def progressed(self, progress: Progress) -> None:
        """Say nothing."""

    def waiting(self, name: str) -> None:
        """Say nothing."""

    def damaged(self, name: str, message: str) -> None:
        """Say nothing."""

    def finished(self, outcome: Outcome) -> None:
        """Say nothing."""


class Inline:
    """Runs a step in this process, during `start`: for tests and for debuggers."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._happened: list[Finished | Progress] = []

    def has_room(self) -> bool:
        """Tell whether the last call has been waited for."""
        return not self._happened

    def start(self, call: Call) -> None:
        """Run the call here and now."""
        from trtbuild.run.worker import run_call

        begin = time.perf_counter()
        report = run_call(call, self._happened.append)
        seconds = time.perf_counter() - begin
        self._happened.append(Finished(seconds=seconds, where="this process", **report))

    def wait(self, timeout_seconds: float) -> Finished | Progress | None:
        """Return what happened during `start`, one thing at a time."""
        del timeout_seconds
        return self._happened.pop(0) if self._happened else None

    def close(self) -> None:
        """Nothing runs between calls."""
