"""Why the last run of a recipe did what it did, and what the next would do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.options import Options
from trtbuild.plan.explain import Decision, Reason, find_differences
from trtbuild.plan.plan import Plan
from trtbuild.store.store import Store

__all__ = ["Why", "explain_steps"]


class Why(Options):
    """What is known of one step."""

    step: str
    last: Literal["never", "first", "same", "changed"]
    """How the last run found it, against the run before: `first` where there is none before."""
    last_reasons: tuple[Reason, ...] = ()
    seconds: float | None = None
    """How long it took when it ran; None where it has not."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    log: str = ""
    """Where what its builder said is kept; empty for steps that build nothing, or that are gone."""
    log_level: LogLevel = USUAL
    """How much the builder was let say."""
    next: Decision
    ingredients: dict[str, Any]
    """All that the next run would make it of."""


def explain_steps(plan: Plan, decisions: Sequence[Decision], store: Store) -> tuple[Why, ...]:
    """Say for every step of a plan why the last run ran it, and why the next would."""
    runs = store.runs(plan.recipe)
    latest = runs[0] if runs else {}
    before = runs[1] if len(runs) > 1 else {}
    found = []
    for planned, decision in zip(plan.steps, decisions, strict=True):
        digest = latest.get(planned.name, "")
        action = store.action(digest)
        last, reasons = _last(planned.name, latest, before, store)
        found.append(
            Why(
                step=planned.name,
                last=last,
                last_reasons=reasons,
                seconds=None if action is None else action.seconds,
                notes=() if action is None else action.notes,
                warnings=() if action is None else action.warnings,
                log=str(store.find_log(action) or ""),
                log_level=USUAL if action is None else action.log_level,
                next=decision,
                ingredients=planned.ingredients,
            )
        )
    return tuple(found)


def _last(
    step: str, latest: Mapping[str, str], before: Mapping[str, str], store: Store
) -> tuple[Literal["never", "first", "same", "changed"], tuple[Reason, ...]]:
    if step not in latest:
        return "never", ()
    if step not in before:
        return "first", ()
    if latest[step] == before[step]:
        return "same", ()
    new, old = store.action(latest[step]), store.action(before[step])
    if new is None or old is None:
        return "changed", (Reason(path="what the run before made of it was swept away"),)
    names = {digest: name for name, digest in latest.items()}
    reasons: dict[str, Reason] = {}
    for reason in find_differences(json.loads(old.ingredients), json.loads(new.ingredients)):
        made_by = names.get(str(reason.after).partition("/")[0])
        shown = reason if made_by is None else Reason(path=f"after {made_by}")
        reasons.setdefault(shown.path, shown)
    return "changed", tuple(reasons.values())
