"""How right the models are that are timed, as far as they have been compared before."""

from __future__ import annotations

from trtbuild.core.accuracy import Accuracy, list_accuracy
from trtbuild.core.comparison import Comparison
from trtbuild.core.quantized_types import INT8
from trtbuild.plan.engine_runs import name_engine_comparison
from trtbuild.plan.plan import Plan
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.store.artifacts import read_artifact
from trtbuild.store.store import Store

__all__ = ["recall_accuracy"]

NOT_COMPARED = (
    "how right these models are is not known here: `trtbuild apply` compares them, and the next "
    "bench sets that beside their times"
)


def recall_accuracy(
    loaded: LoadedRecipe, made: Plan, store: Store
) -> tuple[tuple[Accuracy, ...], tuple[str, ...]]:
    """Return what comparisons in the store say of these very models; a note where there is none.

    Nothing is compared anew.
    """
    engines = {
        name: found
        for name in loaded.recipe.targets
        if (found := _recall(name_engine_comparison(name), made, store)) is not None
    }
    comparison = _recall("compare", made, store)
    lacking = loaded.recipe.compare is not None and comparison is None
    into = loaded.recipe.quantized or INT8.name
    return list_accuracy(comparison, engines, into), (NOT_COMPARED,) if lacking else ()


def _recall(name: str, made: Plan, store: Store) -> Comparison | None:
    step = next((each for each in made.steps if each.name == name), None)
    action = None if step is None else store.action(step.digest)
    if action is None or not store.complete(action):
        return None
    found = (each for each in action.artifacts if each.name == "comparison")
    return next((read_artifact(store, each, Comparison) for each in found), None)
