"""How long steps will take, going by how long they took in earlier runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from trtbuild.core.action import Action
from trtbuild.plan.explain import Decision
from trtbuild.plan.plan import Plan
from trtbuild.store.store import Store

__all__ = ["estimate_seconds"]


def estimate_seconds(plan: Plan, decisions: Sequence[Decision], store: Store) -> dict[str, float]:
    """Return how long each step that would run took when it last ran, where the store knows it.

    A step goes by its name: an engine built anew, of another model or with other options, is
    expected to take as long as that target's engine before it. Not so where another kind of step
    had the name: ranges that stand in a lock say nothing of how long a calibration takes.
    """
    wanted = {each.step for each in decisions if each.verdict in ("run", "maybe")}
    kinds = {each.name: each.step.kind for each in plan.steps if each.name in wanted}
    return dict(_seconds(kinds, store.runs(plan.recipe), store)) if kinds else {}


def _seconds(
    kinds: dict[str, str], runs: Sequence[dict[str, str]], store: Store
) -> Iterator[tuple[str, float]]:
    for name, kind in kinds.items():
        for run in runs:
            action = store.action(run[name]) if name in run else None
            if action is not None and _kind_of(action) == kind:
                yield name, action.seconds
                break


def _kind_of(action: Action) -> str:
    try:
        return str(json.loads(action.ingredients)["kind"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""  # of another version
