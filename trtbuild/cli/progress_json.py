"""A listener for programs: what happens, a line of JSON each, on standard error."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.cli.echo import pour
from trtbuild.cli.progress import LineListener, SilentListener

if TYPE_CHECKING:
    from trtbuild.core.records import Outcome
    from trtbuild.plan.explain import Decision
    from trtbuild.plan.plan import Plan
    from trtbuild.run.executor import StepProgress

__all__ = ["JsonListener", "NamedListener"]


class JsonListener(SilentListener):
    """Writes `{"event": ..., "recipe": ..., "time": ...}` and what belongs to the event."""

    def __init__(self, recipe: str) -> None:
        self._recipe = recipe

    def _say(self, event: str, **more: Any) -> None:
        said = {"event": event, "recipe": self._recipe, "time": round(time.time(), 3), **more}
        pour(json.dumps(said), err=True)

    def planned(self, plan: Plan, decisions: Sequence[Decision]) -> None:
        """Name the steps, and what is to be done with each."""
        self._recipe = plan.recipe
        self._say("planned", steps={each.step: each.verdict for each in decisions})

    def expected(self, seconds: Mapping[str, float]) -> None:
        """Say how long steps took before."""
        self._say("expected", seconds=dict(seconds))

    def started(self, name: str) -> None:
        """Say that a step has started."""
        self._say("started", step=name)

    def progressed(self, progress: StepProgress) -> None:
        """Say how far it is."""
        self._say("progressed", step=progress.name, done=progress.done, total=progress.total,
                  unit=progress.unit)  # fmt: skip

    def waiting(self, name: str) -> None:
        """Say that another process is at it."""
        self._say("waiting", step=name)

    def damaged(self, name: str, message: str) -> None:
        """Say what was found damaged."""
        self._say("damaged", step=name, message=message)

    def moved(self, message: str) -> None:
        """Say where it goes on."""
        self._say("moved", message=message)

    def extended(self, message: str) -> None:
        """Say what is done beyond the plan."""
        self._say("extended", message=message)

    def finished(self, outcome: Outcome) -> None:
        """Say how it ended, and where it ran."""
        self._say(
            "finished", step=outcome.step, status=outcome.status, seconds=outcome.seconds,
            where=outcome.where, message=outcome.message, log=outcome.log,
        )  # fmt: skip


class NamedListener(LineListener):
    """Lines that begin with the recipe's name: several are built beside each other."""

    def __init__(self, recipe: str, *, verbose: bool) -> None:
        super().__init__(verbose=verbose)
        self._recipe = recipe

    def _say(self, line: str) -> None:
        super()._say(f"{self._recipe}: {line.strip()}")
