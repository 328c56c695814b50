"""How a planned step ended, as an Outcome."""

from __future__ import annotations

from typing import Literal

from trtbuild.core.action import Action, Outcome
from trtbuild.plan.plan import PlannedStep
from trtbuild.run.executor import CallResult

__all__ = ["is_good", "record_deferral", "record_failure", "record_not_reached", "record_success"]


def is_good(outcome: Outcome) -> bool:
    """Tell whether a step's artifacts are there to be used."""
    return outcome.status in ("reused", "ran")


def record_success(
    planned: PlannedStep, status: Literal["reused", "ran"], action: Action
) -> Outcome:
    """Return the outcome of a step whose artifacts are in the store."""
    return Outcome(
        step=planned.name,
        digest=planned.digest,
        status=status,
        artifacts=action.artifacts,
        seconds=action.seconds,
        where=action.where,
        notes=action.notes,
        warnings=action.warnings,
        caveats=action.caveats,
    )


def record_failure(planned: PlannedStep, told: CallResult, *, log: str) -> Outcome:
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
        warnings=told.warnings,
    )


def record_deferral(planned: PlannedStep, reason: str = "") -> Outcome:
    """Return the outcome of a step that this machine cannot run, or that stands on such a one."""
    return Outcome(
        step=planned.name,
        digest=planned.digest,
        status="deferred",
        message=planned.deferred or reason,
    )


def record_not_reached(planned: PlannedStep) -> Outcome:
    """Return the outcome of a step that stands on one that failed."""
    return Outcome(step=planned.name, digest=planned.digest, status="not_reached")
