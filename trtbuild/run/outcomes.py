"""How a planned step ended, as an Outcome."""

from __future__ import annotations

from typing import Literal

from trtbuild.core.records import Action, Outcome
from trtbuild.plan.plan import Planned
from trtbuild.run.executor import Finished

__all__ = ["deferred", "failed", "good", "not_reached", "succeeded"]


def good(outcome: Outcome) -> bool:
    """Tell whether a step's artifacts are there to be used."""
    return outcome.status in ("reused", "ran")


def succeeded(planned: Planned, status: Literal["reused", "ran"], action: Action) -> Outcome:
    """Return the outcome of a step whose artifacts are in the store."""
    return Outcome(
        step=planned.name,
        digest=planned.digest,
        status=status,
        artifacts=action.artifacts,
        seconds=action.seconds,
        where=action.where,
        notes=action.notes,
        caveats=action.caveats,
    )


def failed(planned: Planned, told: Finished, *, log: str) -> Outcome:
    """Return the outcome of a step that ended with a message."""
    return Outcome(
        step=planned.name,
        digest=planned.digest,
        status="failed",
        seconds=round(told.seconds, 3),
        where=told.where,
        message=told.message,
        hint=told.hint,
        code=told.code,
        log=log,
        notes=told.notes,
    )


def deferred(planned: Planned, reason: str = "") -> Outcome:
    """Return the outcome of a step that this machine cannot run, or that stands on such a one."""
    return Outcome(
        step=planned.name,
        digest=planned.digest,
        status="deferred",
        message=planned.deferred or reason,
    )


def not_reached(planned: Planned) -> Outcome:
    """Return the outcome of a step that stands on one that failed."""
    return Outcome(step=planned.name, digest=planned.digest, status="not_reached")
