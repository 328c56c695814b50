"""The steps that run an engine where its GPU is, and compare it with the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.backends.tensorrt.options import TrtOptions
from trtbuild.core.needs import GPU, read_capability
from trtbuild.plan.measuring import MeasuringRequest
from trtbuild.plan.reference import ReferenceModel
from trtbuild.recipe.schema import Recipe
from trtbuild.steps.base import Pinned, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.backends.tensorrt10 import Tensorrt10
    from trtbuild.backends.tensorrt11 import Tensorrt11
    from trtbuild.backends.tensorrt_rtx import TensorrtRtx

    TrtBackend = TensorrtRtx | Tensorrt11 | Tensorrt10

__all__ = [
    "ENGINE_RUNS",
    "add_engine_runs",
    "explain_no_run",
    "list_runnable",
    "name_engine_comparison",
    "name_engine_run",
]

ENGINE_RUNS = ("infer_engine", "compare_engine")
"""The kinds of these steps; they make nothing that is locked."""
FED_TYPES = ("float", "half")


def name_engine_run(target: str) -> str:
    """Return the name of the step that runs a target's engine over the data."""
    return f"infer_engine({target})"


def name_engine_comparison(target: str) -> str:
    """Return the name of the step that compares a target's engine with the reference."""
    return f"compare_engine({target})"


def list_runnable(recipe: Recipe) -> Iterator[tuple[str, TrtBackend]]:
    """Yield the targets whose engines are worth comparing where their GPU is."""
    for name, backend in recipe.targets.items():
        if recipe.compare is not None and isinstance(backend, TrtOptions):
            yield name, backend


def explain_no_run(backend: TrtBackend) -> str:
    """Say why a target's engine cannot be run by trtbuild even on its GPU; nothing where it can."""
    if getattr(backend, "strip_plan", False):
        return "its weights are stripped (`strip_plan`)"
    if getattr(backend, "exclude_lean_runtime", False):
        return "it needs a lean runtime that is not in it (`exclude_lean_runtime`)"
    layouts: Mapping[str, Sequence[str]] = backend.io_formats
    for name, formats in layouts.items():
        if any(each != "linear" for each in formats):
            return f"`{name}` may lie in memory in another layout than `linear` (`io_formats`)"
    types: Mapping[str, str] = getattr(backend, "io_types", {})
    for name, type_ in types.items():
        if type_ not in FED_TYPES:
            return f"`{name}` is {type_} (`io_types`), and the data is not"
    return ""


def add_engine_runs(
    recipe: Recipe,
    steps: dict[str, Step],
    samples: DataInput,
    runners: Mapping[str, Mapping[str, str]],
    request: MeasuringRequest,
    *,
    reference: ReferenceModel,
    pin: Callable[[Sequence[str]], tuple[Pinned, ...]],
) -> None:
    """Run the engines over the comparison's data, and compare each.

    `runners` has the facts of the place where a target's engine can run.
    """
    compare = recipe.compare
    if not runners:
        return
    from trtbuild.steps.compare_engine import CompareEngine
    from trtbuild.steps.infer_engine import InferEngine

    for name, backend in list_runnable(recipe):
        if compare is None or name not in runners:
            continue
        steps[name_engine_run(name)] = InferEngine(
            flavour=backend.kind,
            engine=Ref(step=f"build_engine({name})", output="engine"),
            data=samples,
            capability=read_capability(runners[name][GPU]),
            plugins=pin(backend.plugins),
        )
        steps[name_engine_comparison(name)] = CompareEngine(
            target=name,
            reference=Ref(step="infer(reference)", output="outputs"),
            candidate=Ref(step=name_engine_run(name), output="outputs"),
            reference_model=reference.model,
            reference_name=reference.name,
            runner=Ref(step=name_engine_run(name), output="runner"),
            data=samples,
            metrics=request.metrics,
            more=request.more,
            gates=compare.gates,
        )
