"""Listeners for people: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from trtbuild.cli.echo import echo
from trtbuild.core.escape import escape_controls
from trtbuild.core.words import abbreviate
from trtbuild.run.executor import QuietListener, StepProgress

if TYPE_CHECKING:
    from trtbuild.core.records import Outcome
    from trtbuild.plan.explain import Decision
    from trtbuild.plan.plan import Plan

__all__ = ["BarListener", "LineListener", "SilentListener", "choose_listener"]

SECONDS_BETWEEN_LINES = 10
SHORT_SECONDS = 2.0
"""Nobody wonders how long is left of a step that takes less."""
DOING = {"locked_ranges": " (takes the ranges in the lock)"}
"""What kinds of steps do that take the place of others, by whose names they go."""


def choose_listener(*, quiet: bool, verbose: bool) -> SilentListener:
    """Return the listener that fits where the output goes."""
    if quiet:
        return SilentListener()
    return BarListener(verbose=verbose) if sys.stderr.isatty() else LineListener(verbose=verbose)


class SilentListener(QuietListener):
    """Says nothing while steps run; the base of the others, each a context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing on the screen."""


class LineListener(SilentListener):
    """One line when a step starts, ends, or has been running for a while."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._said: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._first: dict[str, tuple[float, int]] = {}
        """When a step first said how far it was, and how far."""
        self._seconds: dict[str, float] = {}
        self._doing: dict[str, str] = {}

    def planned(self, plan: Plan, decisions: Sequence[Decision]) -> None:
        """Say what is about to be done, unless that is nothing."""
        self._doing = {each.name: DOING.get(each.step.kind, "") for each in plan.steps}
        run, maybe = (
            sum(each.verdict == verdict for each in decisions) for verdict in ("run", "maybe")
        )
        if run or maybe or self._verbose:
            rest = f", {maybe} may run" if maybe else ""
            self._say(f"{plan.recipe}: {run} of {len(decisions)} steps to run{rest}")
        if self._verbose:
            for each in decisions:
                reasons = " · ".join(reason.text() for reason in each.reasons)
                self._say(f"  {each.verdict:8} {each.step:24} {abbreviate(each.digest)}  {reasons}")

    def expected(self, seconds: Mapping[str, float]) -> None:
        """Keep how long steps took when they last ran."""
        self._seconds = dict(seconds)

    def started(self, name: str) -> None:
        """Say that it has started, and how long it took last time."""
        self._begun[name] = self._said[name] = time.monotonic()
        self._say(f"  run      {name}{self._doing.get(name, '')}{self._left(name)}")

    def progressed(self, progress: StepProgress) -> None:
        """Say how far it is, now and then."""
        now = time.monotonic()
        self._first.setdefault(progress.name, (now, progress.done))
        if now - self._said.get(progress.name, now) < SECONDS_BETWEEN_LINES:
            return
        self._said[progress.name] = now
        left = self._left(progress.name) or self._extrapolate(progress)
        self._say(f"           {progress.name}: {_amount(progress)}{left}")

    def waiting(self, name: str) -> None:
        """Say for whom this process waits."""
        self._say(f"  wait     {name}: another process is at it")

    def damaged(self, name: str, message: str) -> None:
        """Say what was found damaged."""
        self._say(f"  damaged  {name}: {message}; it runs again")

    def moved(self, message: str) -> None:
        """Say where it goes on."""
        self._say(f"  again    {message}")

    def extended(self, message: str) -> None:
        """Say what is done beyond the plan."""
        self._say(message)

    def finished(self, outcome: Outcome) -> None:
        """Say how it ended."""
        line = _ending(outcome, verbose=self._verbose)
        if line:
            self._say(line)

    def _say(self, line: str) -> None:
        echo(line, err=True)

    def _left(self, name: str) -> str:
        """Say how long a step will still take, by how long it took last time."""
        seconds = self._seconds.get(name, 0.0)
        if seconds < SHORT_SECONDS:
            return ""
        now = time.monotonic()
        left = seconds - (now - self._begun.get(name, now))
        return f", about {left:.0f} s left" if left > 0 else f", it took {seconds:.0f} s before"

    def _extrapolate(self, progress: StepProgress) -> str:
        """Say how long a step will still take, by how far it has come since it first said so.

        What it did before, as loading or compiling a model, is no part of what is left.
        """
        now = time.monotonic()
        since, already = self._first.setdefault(progress.name, (now, progress.done))
        taken, done = now - since, progress.done - already
        if done <= 0 or progress.done >= progress.total:
            return ""
        left = taken * (progress.total - progress.done) / done
        return f", about {left:.0f} s left" if min(taken, left) >= SHORT_SECONDS else ""


class BarListener(LineListener):
    """A bar for every running step, on a terminal."""

    def __init__(self, *, verbose: bool) -> None:
        super().__init__(verbose=verbose)
        self._live: Any = None
        self._tasks: dict[str, Any] = {}

    def __exit__(self, *_: object) -> None:
        """Take the bars off the screen."""
        if self._live is not None:
            self._live.stop()

    def started(self, name: str) -> None:
        """Show a bar that only moves to and fro, until the step says how far it is."""
        self._begun[name] = time.monotonic()
        text = self._left(name).removeprefix(", ")
        self._tasks[name] = self._bars().add_task(
            name + self._doing.get(name, ""), total=None, amount=text
        )

    def progressed(self, progress: StepProgress) -> None:
        """Move the bar."""
        if progress.name in self._tasks:
            self._bars().update(
                self._tasks[progress.name],
                completed=progress.done,
                total=progress.total or None,
                amount=_amount(progress)
                + (self._left(progress.name) or self._extrapolate(progress)),
            )

    def finished(self, outcome: Outcome) -> None:
        """Replace the bar by a line."""
        if outcome.step in self._tasks:
            self._bars().remove_task(self._tasks.pop(outcome.step))
        super().finished(outcome)

    def _bars(self) -> Any:
        if self._live is None:
            from rich.console import Console
            from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Live

            self._live = Live(
                SpinnerColumn(),
                TextColumn("{task.description:24}"),
                BarColumn(bar_width=30),
                TextColumn("{task.fields[amount]}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._live.start()
        return self._live

    def _say(self, line: str) -> None:
        if self._live is None:
            echo(line, err=True)
        else:
            self._live.console.print(escape_controls(line), markup=False, highlight=False)


def _amount(progress: StepProgress) -> str:
    if not progress.total:
        return f"{progress.done} {progress.unit}"
    return f"{progress.done} of {progress.total} {progress.unit}"


def _ending(outcome: Outcome, *, verbose: bool) -> str:
    if outcome.status == "ran":
        return f"  done     {outcome.step:24} {outcome.seconds:7.1f} s"
    if outcome.status == "failed":
        return f"  failed   {outcome.step}: {outcome.message.splitlines()[0]}"
    if outcome.status == "deferred":
        return f"  deferred {outcome.step}: {outcome.message}"
    return f"  {outcome.status:8} {outcome.step}" if verbose else ""
