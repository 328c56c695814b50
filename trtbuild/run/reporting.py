"""What runs, written down in the store while it does, for whoever asks from elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from trtbuild.core.digest import read_sealed_tree, seal
from trtbuild.core.files import write_whole
from trtbuild.core.frozen import frozen
from trtbuild.run.executor import Listener, StepProgress

if TYPE_CHECKING:
    from trtbuild.core.action import Outcome
    from trtbuild.plan.explain import Decision
    from trtbuild.plan.plan import Plan
    from trtbuild.store.store import Store

__all__ = ["Reporting", "RunningBuild", "RunningStep", "list_running"]

FOLDER = "running"
WRITE_SECONDS = 1.0
SILENT_SECONDS = 300.0
"""A file of another machine that is older is of a process that did not live to remove it."""
MOST_BYTES = 4 << 20


@frozen
class RunningStep:
    """A step that runs, or waits for another process that runs it."""

    name: str
    waits: bool
    seconds: float
    """Since it began."""
    progress: str
    expected_seconds: float | None
    """How long it took when it last ran."""


@frozen
class RunningBuild:
    """A recipe that is being built."""

    recipe: str
    host: str
    pid: int
    ended: int
    """How many of its steps have."""
    steps: int
    running: tuple[RunningStep, ...]


class Reporting:
    """A listener that passes on what it hears, and writes it down once a step has started.

    So a build with nothing to do writes nothing.
    """

    def __init__(self, listener: Listener, store: Store, recipe: str) -> None:
        self._listener = listener
        self._path = store.root / FOLDER / f"{os.getpid()}-{os.urandom(4).hex()}.json"
        self._told: dict[str, Any] = {"recipe": recipe, "steps": 0}
        self._ended: set[str] = set()
        self._running: dict[str, dict[str, Any]] = {}
        self._expected: Mapping[str, float] = {}
        self._written = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take back what was written; who removes nothing has its answer kept and said again."""
        if self._written:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def planned(self, plan: Plan, decisions: Sequence[Decision]) -> None:
        """Count the steps."""
        self._told["steps"] = len(decisions)
        self._listener.planned(plan, decisions)

    def expected(self, seconds: Mapping[str, float]) -> None:
        """Keep how long steps took."""
        self._expected = seconds
        self._listener.expected(seconds)

    def started(self, name: str) -> None:
        """Write it down."""
        self._begin(name, waits=False)
        self._listener.started(name)

    def waiting(self, name: str) -> None:
        """Write it down."""
        self._begin(name, waits=True)
        self._listener.waiting(name)

    def _begin(self, name: str, *, waits: bool) -> None:
        now = time.time()
        self._running[name] = {
            "waits": waits, "since": now, "progress": "", "expected": self._expected.get(name),
        }  # fmt: skip
        self._write(now)

    def progressed(self, progress: StepProgress) -> None:
        """Write down how far it is, not too often."""
        if progress.name in self._running:
            of = f" of {progress.total}" if progress.total else ""
            self._running[progress.name]["progress"] = f"{progress.done}{of} {progress.unit}"
            now = time.time()
            if now - self._written >= WRITE_SECONDS:
                self._write(now)
        self._listener.progressed(progress)

    def damaged(self, name: str, message: str) -> None:
        """Pass it on."""
        self._ended.discard(name)
        self._listener.damaged(name, message)

    def moved(self, message: str) -> None:
        """Pass it on: all begins anew."""
        self._ended.clear()
        self._listener.moved(message)

    def extended(self, message: str) -> None:
        """Pass it on."""
        self._listener.extended(message)

    def finished(self, outcome: Outcome) -> None:
        """Write down that it runs no more."""
        self._ended.add(outcome.step)
        if self._running.pop(outcome.step, None) is not None:
            self._write(time.time())
        self._listener.finished(outcome)

    def _write(self, now: float) -> None:
        from trtbuild.store.leases import describe_owner

        self._told.setdefault("owner", describe_owner())
        told = {**self._told, "ended": len(self._ended), "running": self._running}
        with contextlib.suppress(OSError):  # a full disk is told by what matters
            write_whole(self._path, seal(json.dumps(told)))
        self._written = now


def list_running(store: Store) -> tuple[RunningBuild, ...]:
    """Return what is being built with a store, by recipe; what died left is removed."""
    found = []
    for path in sorted((store.root / FOLDER).glob("*.json")):
        build = _read(path)
        if build is not None:
            found.append(build)
    return tuple(sorted(found, key=lambda each: (each.recipe, each.host, each.pid)))


def _read(path: Path) -> RunningBuild | None:
    from trtbuild.store.leases import died_here

    told, now = read_sealed_tree(path, MOST_BYTES), time.time()
    try:
        owner = told["owner"]
        if died_here(owner) or now - path.stat().st_mtime > SILENT_SECONDS:
            path.unlink(missing_ok=True)
            return None
        running = tuple(
            RunningStep(
                str(name),
                bool(each["waits"]),
                round(max(0.0, now - float(each["since"])), 1),
                str(each["progress"]),
                None if each["expected"] is None else float(each["expected"]),
            )
            for name, each in sorted(told["running"].items())
        )
        return RunningBuild(
            str(told["recipe"]),
            str(owner["host"]),
            int(owner["pid"]),
            int(told["ended"]),
            int(told["steps"]),
            running,
        )
    except (TypeError, KeyError, ValueError, AttributeError, OSError):
        return None  # of another version, or gone this moment
