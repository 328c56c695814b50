"""Engines that were to be compared and did not run: what else was made stands without them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from trtbuild.core.action import Outcome
from trtbuild.core.errors import MissingFile, StepFailed
from trtbuild.measure.gates import judge_gates
from trtbuild.plan.engine_runs import name_engine_run
from trtbuild.recipe.schema import Recipe

if TYPE_CHECKING:
    from trtbuild.core.comparison import Comparison, UnrunEngine

__all__ = ["is_spared", "list_engine_runs", "list_unrun_engines"]

SPARED_CODES = (StepFailed.code, MissingFile.code)
"""An engine does not run, or what it needs is gone; damaged inputs and bugs are told as such."""


def list_engine_runs(recipe: Recipe) -> frozenset[str]:
    """Return the names of the steps that run engines, to be compared, if a plan has them."""
    return frozenset(map(name_engine_run, recipe.targets))


def is_spared(outcome: Outcome, engine_runs: Collection[str]) -> bool:
    """Tell whether a step failed that other results do without."""
    return outcome.step in engine_runs and outcome.code in SPARED_CODES


def list_unrun_engines(
    recipe: Recipe, outcomes: Iterable[Outcome], model: Comparison | None
) -> Iterator[UnrunEngine]:
    """Yield what is said of each engine whose run failed; `model` is its model's comparison."""
    failed = {each.step: each for each in outcomes if each.status == "failed"}
    for name in recipe.targets:
        outcome = failed.get(name_engine_run(name))
        if outcome is not None and model is not None and recipe.compare is not None:
            yield _describe(recipe, name, outcome, model)


def _describe(recipe: Recipe, name: str, outcome: Outcome, model: Comparison) -> UnrunEngine:
    from trtbuild.core.comparison import UnrunEngine
    from trtbuild.measure.verdicts import FAULTS, leave_unjudged

    assert recipe.compare is not None  # noqa: S101  # asked for before
    told = (outcome.message, f"(hint: {outcome.hint})" if outcome.hint else "")
    # The model's figures say which outputs there are; none of their values is kept.
    asked = judge_gates(recipe.compare.gates, model.measures, samples=model.samples)
    on_gates = [each for each in asked if each.gate != FAULTS]
    return UnrunEngine(
        reference=model.reference,
        reference_type=model.reference_type,
        candidate=f"engine of {name}",
        runner="",
        samples=model.samples,
        data=model.data,
        labelled=model.labelled,
        measures=(),
        verdicts=tuple(leave_unjudged(each, "the engine was not run") for each in on_gates),
        caveats=outcome.caveats,
        not_run=" ".join(" ".join(told).split()),
        target=name,
        step=outcome.step,
    )
