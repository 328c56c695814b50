"""Judges gates that hold a build against the figures in its lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from trtbuild.core.comparison import Comparison, GateVerdict
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.overview import Overview
from trtbuild.measure.gates import Gate
from trtbuild.recipe.load import LoadedRecipe

if TYPE_CHECKING:
    from trtbuild.plan.lock import Lock

__all__ = ["add_lock_verdicts", "has_lock_gates"]

Told = TypeVar("Told", bound=Overview)


def has_lock_gates(loaded: LoadedRecipe) -> bool:
    """Tell whether a recipe has gates on its lock."""
    compare = loaded.recipe.compare
    return compare is not None and any(
        gate.drop_from_lock_at_most is not None for gate in compare.gates
    )


def add_lock_verdicts(overview: Told, loaded: LoadedRecipe) -> Told:
    """Add the verdicts of the gates on the lock to what is told: of the model, as figures there.

    Without a lock, or where it does not have the figure, nothing is judged and all may pass.
    """
    found = overview.comparison
    if not has_lock_gates(loaded) or found is None or loaded.recipe.compare is None:
        return overview
    from trtbuild.plan.lock import find_lock, read_lock

    lock, why = None, "there is no lock yet: `trtbuild lock` writes it"
    if find_lock(loaded.file).is_file():
        try:
            lock = read_lock(find_lock(loaded.file))
        except (MissingFile, UsageError) as error:
            why = f"the lock cannot be read: {error.message}"
    verdicts = [
        each for gate in loaded.recipe.compare.gates for each in _judge(gate, found, lock, why)
    ]
    told = found.model_copy(update={"verdicts": (*found.verdicts, *verdicts)})
    return overview.model_copy(update={"comparison": told})


def _judge(gate: Gate, found: Comparison, lock: Lock | None, why: str) -> Iterator[GateVerdict]:
    from trtbuild.measure.verdicts import judge_against_lock, leave_unjudged

    limit = gate.drop_from_lock_at_most
    if limit is None:
        return
    for measure in gate.choose(found.measures):
        key = f"{measure.output}.{measure.metric}".lstrip(".")
        before = None if lock is None else lock.measures.get(key)
        verdict = judge_against_lock(
            measure, 0.0 if before is None else before, limit, gate.confidence, found.samples
        )
        if before is None:
            told = why if lock is None else "the lock has no such figure yet: `trtbuild lock`"
            yield leave_unjudged(verdict, told, passed=measure.value is not None)
        elif lock is not None and lock.compared.get("data") != found.data:
            other = "the lock's figure is of other samples"
            doubt = "; ".join(filter(None, (other, verdict.doubt)))
            yield verdict.model_copy(update={"doubt": doubt})
        else:
            yield verdict
