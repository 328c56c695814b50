"""A plan, and what would be done of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import CorruptObject
from trtbuild.core.frozen import frozen
from trtbuild.plan.explain import Decision, decide
from trtbuild.plan.plan import Plan
from trtbuild.plan.preflight import check_against_model
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.store.store import Store
from trtbuild.verbs.build import compile_for_machine, list_known_outcomes

if TYPE_CHECKING:
    from trtbuild.run.executor import Executor

__all__ = ["DecidedPlan", "plan_recipe"]


@frozen
class DecidedPlan:
    """A plan, and what would be done of it."""

    plan: Plan
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...]


def plan_recipe(
    loaded: LoadedRecipe, store: Store, executor: Executor, *, targets: Sequence[str]
) -> DecidedPlan:
    """Say which steps of a recipe would run, and why; runs nothing and fetches nothing."""
    made, notes = compile_for_machine(loaded, store, executor, targets=targets, fetch=False)
    decisions = decide(made, store)
    try:
        check_against_model(loaded, list_known_outcomes(decisions, store), store)
    except CorruptObject:
        decisions = decide(made, store)  # what is damaged has been removed, and is to be made again
    store.digests.save()
    wanted = loaded.recipe.targets.items()
    places = {name: executor.place(each.needs()) for name, each in wanted}
    where = (f"{name}: would be built on {each.where}" for name, each in places.items()
             if each.where)  # fmt: skip
    return DecidedPlan(made, decisions, (*notes, *where))
