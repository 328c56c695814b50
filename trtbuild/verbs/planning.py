"""A plan, and what would be done of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trtbuild.core.errors import CorruptObject
from trtbuild.plan.explain import Decision, decide
from trtbuild.plan.plan import Plan
from trtbuild.plan.preflight import preflight
from trtbuild.recipe.load import Loaded
from trtbuild.run.executor import Executor
from trtbuild.store.store import Store
from trtbuild.verbs.build import compiled, known

__all__ = ["Planned", "planned"]


@dataclass(frozen=True)
class Planned:
    """A plan, and what would be done of it."""

    plan: Plan
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...]


def planned(loaded: Loaded, store: Store, executor: Executor, *, targets: Sequence[str]) -> Planned:
    """Say which steps of a recipe would run, and why; runs nothing and fetches nothing."""
    made, notes = compiled(loaded, store, executor, targets=targets, fetch=False)
    decisions = decide(made, store)
    try:
        preflight(loaded, known(decisions, store), store)
    except CorruptObject:
        decisions = decide(made, store)  # what is damaged has been removed, and is to be made again
    store.digests.save()
    return Planned(made, decisions, notes)
