"""A plan, and what would be done of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.action import Outcome
from trtbuild.core.errors import CorruptObject
from trtbuild.core.frozen import frozen
from trtbuild.plan.explain import Decision, decide
from trtbuild.plan.plan import Plan
from trtbuild.plan.preflight import check_against_model
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.steps.base import MODEL
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
    known = list_known_outcomes(decisions, store)
    try:
        check_against_model(loaded, known, store)
        notes = (*notes, *_explain_policies(loaded, known, store))
    except CorruptObject:
        decisions = decide(made, store)  # what is damaged has been removed, and is to be made again
    store.digests.save()
    wanted = loaded.recipe.targets.items()
    places = {name: executor.place(each.needs()) for name, each in wanted}
    where = (f"{name}: would be built on {each.where}" for name, each in places.items()
             if each.where)  # fmt: skip
    return DecidedPlan(made, decisions, (*notes, *where))


def _explain_policies(
    loaded: LoadedRecipe, outcomes: Sequence[Outcome], store: Store
) -> Iterator[str]:
    """Say which lines of `skip` a recipe's policies stand for, once its model is known."""
    section = loaded.recipe.quantization
    fixed = [a for o in outcomes if o.step == "fix_graph" for a in o.artifacts if a.name == MODEL]
    if section is None or not section.protect or not fixed:
        return
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.quant.remarks import note_protected
    from trtbuild.quant.requests import PrecisionRequests

    nodes = load_bare(store.object_path(fixed[0].digest)).graph.node
    yield from note_protected(PrecisionRequests.among(nodes, skip=section.floats))
