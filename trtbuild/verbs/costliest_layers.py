"""Which layers cost most where a gate failed: known for no more passes than were compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.errors import CorruptObject, TrtbuildError
from trtbuild.plan.explain import decide
from trtbuild.plan.sensitivity import SENSITIVITY
from trtbuild.quant.account import QuantizationAccount
from trtbuild.recipe.schema import LayerMeasurement
from trtbuild.verbs.build import compile_for_machine, walk_all
from trtbuild.verbs.run_artifacts import RunArtifacts

if TYPE_CHECKING:
    from trtbuild.core.overview import Overview
    from trtbuild.plan.lock import Lock
    from trtbuild.plan.plan import Plan
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.store.store import Store

__all__ = ["add_costliest_layers"]

MOST_SAMPLES = 8
"""They tell the worst layers from the others, and no more is asked here."""
PASSES_COMPARED = 2
"""Of each sample in a comparison: the model as it is, and as it is built."""


def add_costliest_layers(
    overview: Overview,
    loaded: LoadedRecipe,
    store: Store,
    executor: Executor,
    listener: Listener,
    *,
    lock: Lock | None,
) -> Overview:
    """Return what is told of a run with what each layer costs, where a gate was missed.

    What `trtbuild sensitivity` has measured is taken as it is. Otherwise each layer runs alone
    quantized on as few samples as make no more passes than the comparison did; of a model for
    which not even one sample is within that, and where it fails, nothing is added.
    """
    missed = any(each.judged and not each.passed for _, each in overview.list_verdicts())
    if not missed or overview.comparison is None:
        return overview
    if any(each.step == SENSITIVITY for each in overview.outcomes):
        return overview
    account = RunArtifacts(overview.outcomes, store).read(
        "quantize", "account", QuantizationAccount
    )
    if account is None or not account.asked:
        return overview

    def compile_with(asked: LayerMeasurement) -> Plan:
        made, _ = compile_for_machine(
            loaded, store, executor, targets=(), fetch=True, lock=lock, layers=asked
        )
        return made.cut_after((SENSITIVITY,))

    try:
        made = compile_with(LayerMeasurement())
        if any(each.verdict != "reuse" for each in decide(made, store)):
            samples = _count_samples(overview.comparison.samples, account.asked)
            if not samples:
                return overview
            made = compile_with(LayerMeasurement(samples=samples, others=False))
            _announce(listener, made, store, account.asked, samples)
        outcomes = walk_all(made, store, executor, listener)
    except CorruptObject:
        raise  # whoever calls this mends it
    except TrtbuildError as error:
        note = f"which layers cost most is not known: {error.message}"
        return overview.model_copy(update={"notes": (*overview.notes, note)})
    known = {each.step for each in overview.outcomes}
    added = tuple(each for each in outcomes if each.step not in known)
    return overview.model_copy(update={"outcomes": (*overview.outcomes, *added)})


def _count_samples(compared: int, layers: int) -> int:
    """Return how many: a layer costs about half a pass a sample, since others stand before it."""
    return min(MOST_SAMPLES, compared, 2 * PASSES_COMPARED * compared // layers)


def _announce(listener: Listener, made: Plan, store: Store, layers: int, samples: int) -> None:
    """Say what it costs, before it is spent."""
    if all(each.verdict == "reuse" for each in decide(made, store)):
        return
    listener.extended(
        f"a gate failed; which layers cost most: layers × samples: {layers} × {samples}, so "
        f"{layers * samples} passes over half the network on average"
    )
