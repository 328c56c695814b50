"""The steps that run what is built and the reference, and compare them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

__all__ = [
    "SomeSamples",
    "add_comparison",
    "name_picks",
    "name_some_comparison",
    "name_some_run",
]


@frozen
class SomeSamples:
    """How many samples to compare on, spread over the data."""

    count: int
    of_all: bool = False
    """Take their outputs from a run over all, which was made before."""
    fewer: tuple[int, ...] = ()
    """Or from runs over so many of them, each of which goes on from the one before."""


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
    steps["infer(candidate)"] = Infer(
        model=Ref(step=final, output="model"), data=samples, known=here.known
    )
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


def name_picks(samples: int) -> str:
    """Return the name of the step that picks so many samples."""
    return f"pick_samples({samples})"


def name_some_run(samples: int) -> str:
    """Return the name of the step that runs the candidate over so many samples."""
    return f"infer_some({samples})"


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
    from trtbuild.steps.compare_some import CompareSome
    from trtbuild.steps.infer import Infer

    compare = recipe.compare
    source, model = data[compare.data], Ref(step=final, output="model")
    request = make_measuring(compare, source, here, labels=add_labels(recipe, steps, data, here))
    reference = add_reference(recipe, steps, here.base, here.pinned, here.reference_weights)
    steps["infer(reference)"] = Infer(model=reference.model, data=source, reference=True)
    counts = (some.count,) if some.of_all else (*some.fewer, some.count)
    picks = [_add_picks(steps, source, count) for count in counts]
    if some.of_all:
        steps[ran := "infer(candidate)"] = Infer(model=model, data=source)
    else:
        ran = _add_runs(steps, source, model, counts, picks)
    steps[name_some_comparison(some.count)] = CompareSome(
        reference=Ref(step="infer(reference)", output="outputs"),
        candidate=Ref(step=ran, output="outputs"),
        data=source,
        picked=picks[-1],
        metrics=request.metrics,
        more=request.more,
        gates=tuple(
            gate.model_copy(update={"confidence": None})
            for gate in compare.gates
            if gate.drop_from_lock_at_most is None
        ),
    )


def _add_picks(steps: dict[str, Step], source: DataInput, count: int) -> Ref:
    from trtbuild.steps.pick_samples import PickSamples

    steps[name := name_picks(count)] = PickSamples(data=source, count=count)
    return Ref(step=name, output="picked")


def _add_runs(
    steps: dict[str, Step],
    source: DataInput,
    model: Ref,
    counts: Sequence[int],
    picks: Sequence[Ref],
) -> str:
    """Run a model over more and more samples, each once; return the name of the last run."""
    from trtbuild.steps.compare_some import InferSome
    from trtbuild.steps.known_outputs import KnownOutputs

    ran = ""
    known: KnownOutputs | None = None
    for count, picked in zip(counts, picks, strict=True):
        steps[ran := name_some_run(count)] = InferSome(
            model=model,
            data=source,
            samples=Ref(step=picked.step, output="samples"),
            picked=picked,
            known=known,
        )
        known = KnownOutputs(outputs=Ref(step=ran, output="outputs"), picked=picked)
    return ran


def _find_calibration(
    recipe: Recipe, data: Mapping[str, DataInput], here: CompileContext
) -> Ref | None:
    """Return what is known of the data that was calibrated on; a locked build does without it."""
    section = recipe.quantization
    if section is None or section.data is None or here.ranges is not None:
        return None
    return data[section.data].manifest
