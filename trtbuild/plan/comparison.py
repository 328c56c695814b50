"""The steps that run what is built and the reference, and compare them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.core.frozen import frozen
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

__all__ = ["SomeSamples", "add_comparison", "name_some_comparison"]


@frozen
class SomeSamples:
    """How many samples to compare on, spread over the data."""

    count: int
    of_all: bool = False
    """Take their outputs from a run over all, which was made before."""


def add_comparison(
    recipe: Recipe,
    steps: dict[str, Step],
    data: Mapping[str, DataInput],
    final: str,
    here: CompileContext,
) -> None:
    """Run the reference and what is built over the same data, or some of it, and compare them."""
    if recipe.compare is None:
        return
    if here.some is not None:
        _add_some(recipe, steps, data, final, here, some=here.some)
        return
    from trtbuild.steps.compare import CompareOutputs
    from trtbuild.steps.infer import Infer

    samples = data[recipe.compare.data]
    labels = add_labels(recipe, steps, data, here)
    request = make_measuring(recipe.compare, samples, here, labels=labels)
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
        metrics=request.metrics,
        more=request.more,
        gates=recipe.compare.gates,
    )
    add_engine_runs(
        recipe,
        steps,
        samples,
        here.runners,
        request,
        reference=reference,
        pin=lambda paths: here.pinned(here.base / path for path in paths),
    )


def name_some_comparison(samples: int) -> str:
    """Return the name of the step that compares on so many samples."""
    return f"compare_some({samples})"


def _add_some(
    recipe: Recipe,
    steps: dict[str, Step],
    data: Mapping[str, DataInput],
    final: str,
    here: CompileContext,
    *,
    some: SomeSamples,
) -> None:
    """Compare on some samples: what is left out is for the whole to judge.

    That is how sure a figure is, and what it was before; engines are not run. The reference has
    been run over all.
    """
    if recipe.compare is None:
        return
    from trtbuild.steps.compare_some import CompareSome, InferSome
    from trtbuild.steps.infer import Infer
    from trtbuild.steps.pick_samples import PickSamples

    compare, pick = recipe.compare, f"pick_samples({some.count})"
    source, model = data[compare.data], Ref(step=final, output="model")
    request = make_measuring(compare, source, here, labels=add_labels(recipe, steps, data, here))
    reference = add_reference(recipe, steps, here.base, here.pinned, here.reference_weights)
    steps["infer(reference)"] = Infer(model=reference.model, data=source, reference=True)
    steps[pick] = PickSamples(data=source, count=some.count)
    if some.of_all:
        steps[ran := "infer(candidate)"] = Infer(model=model, data=source)
    else:
        steps[ran := f"infer_some({some.count})"] = InferSome(
            model=model,
            data=source,
            samples=Ref(step=pick, output="samples"),
            picked=Ref(step=pick, output="picked"),
        )
    steps[name_some_comparison(some.count)] = CompareSome(
        reference=Ref(step="infer(reference)", output="outputs"),
        candidate=Ref(step=ran, output="outputs"),
        data=source,
        picked=Ref(step=pick, output="picked"),
        metrics=request.metrics,
        more=request.more,
        gates=tuple(
            gate.model_copy(update={"confidence": None})
            for gate in compare.gates
            if gate.drop_from_lock_at_most is None
        ),
    )


def _find_calibration(
    recipe: Recipe, data: Mapping[str, DataInput], here: CompileContext
) -> Ref | None:
    """Return what is known of the data that was calibrated on; a locked build does without it."""
    section = recipe.quantization
    if section is None or section.data is None or here.ranges is not None:
        return None
    return data[section.data].manifest
