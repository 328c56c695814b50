"""The steps that run what is built and the reference, and compare them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.plan.engine_runs import add_engine_runs
from trtbuild.plan.labels import add_labels
from trtbuild.plan.measuring import make_measuring
from trtbuild.plan.precision import name_candidate
from trtbuild.plan.reference import add_reference
from trtbuild.recipe.schema import Recipe
from trtbuild.steps.base import Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.plan.compile import CompileContext

__all__ = ["add_comparison"]


def add_comparison(
    recipe: Recipe,
    steps: dict[str, Step],
    data: Mapping[str, DataInput],
    final: str,
    here: CompileContext,
) -> None:
    """Run the reference and what is built over the same data, and compare them."""
    if recipe.compare is None:
        return
    from trtbuild.steps.compare import CompareOutputs
    from trtbuild.steps.infer import Infer

    samples = data[recipe.compare.data]
    labels = add_labels(recipe, steps, data, here)
    asked = make_measuring(recipe.compare, samples, here, labels=labels)
    reference = add_reference(recipe, steps, here.base, here.pinned, here.reference_weights)
    steps["infer(reference)"] = Infer(model=reference.model, data=samples, reference=True)
    steps["infer(candidate)"] = Infer(model=Ref(step=final, output="model"), data=samples)
    steps["compare"] = CompareOutputs(
        reference=Ref(step="infer(reference)", output="outputs"),
        candidate=Ref(step="infer(candidate)", output="outputs"),
        reference_model=reference.model,
        reference_name=reference.name,
        candidate_name=name_candidate(recipe),
        calibration=_find_calibration(recipe, data, here),
        off=recipe.checks.off.get("TB406", ""),
        data=samples,
        metrics=asked.metrics,
        more=asked.more,
        gates=recipe.compare.gates,
    )
    add_engine_runs(
        recipe,
        steps,
        samples,
        here.runners,
        asked,
        reference=reference,
        pin=lambda paths: here.pinned(here.base / path for path in paths),
    )


def _find_calibration(
    recipe: Recipe, data: Mapping[str, DataInput], here: CompileContext
) -> Ref | None:
    """Return what is known of the data that was calibrated on; a locked build does without it."""
    section = recipe.quantization
    if section is None or section.data is None or here.ranges is not None:
        return None
    return data[section.data].manifest
