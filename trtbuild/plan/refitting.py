"""The steps that let an engine that is built take other weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.core.frozen import frozen
from trtbuild.steps.base import Pinned, Ref, Step

if TYPE_CHECKING:
    from trtbuild.plan.compile import CompileContext
    from trtbuild.recipe.schema import Recipe
    from trtbuild.steps.capture_data import DataInput

__all__ = ["DRIFT", "RefitRequest", "Refitted", "refit_instead"]

DRIFT = "measure_drift"


@frozen
class Refitted:
    """An engine, what lies beside it, and what of its model's weights is others now."""

    target: str
    engine: Pinned
    result: Pinned
    """Its engine.json."""
    changed: tuple[str, ...]


@frozen
class RefitRequest:
    """What is asked of the steps of a recipe whose weights are others."""

    before: Pinned
    """The float model of before, after graph fixes."""
    samples: int
    """On how many the values of both models are held to each other."""
    engine: Refitted | None = None
    """The engine that takes the weights, once it is known which those are."""


def refit_instead(
    recipe: Recipe,
    steps: dict[str, Step],
    data: Mapping[str, DataInput],
    here: CompileContext,
) -> None:
    """Measure the drift of values that have ranges, and replace a build by a refit, if asked to."""
    request = here.refit
    if request is None:
        return
    section = recipe.quantization
    compared = recipe.compare.data if recipe.compare else None
    name = (section.data if section else None) or compared
    if "quantize" in steps and name is not None:
        from trtbuild.steps.measure_drift import MeasureDrift

        steps[DRIFT] = MeasureDrift(
            before=request.before,
            after=Ref(step="fix_graph", output="model"),
            ranges=Ref(step="quantize", output="ranges"),
            data=data[name],
            samples=request.samples,
        )
    if request.engine is not None:
        _replace_build(steps, request.engine)


def _replace_build(steps: dict[str, Step], asked: Refitted) -> None:
    from trtbuild.steps.build_engine import BuildEngine
    from trtbuild.steps.refit_engine import RefitEngine

    name = f"build_engine({asked.target})"
    built = steps[name]
    assert isinstance(built, BuildEngine)  # noqa: S101  # `compile` has added it
    need = built.needs().gpu
    steps[name] = RefitEngine(
        flavour=built.backend.kind,  # type: ignore[arg-type]  # of TensorRT: demanded before
        engine=asked.engine,
        result=asked.result,
        model=built.model,
        changed=asked.changed,
        capability="" if need is None else need.capability,
        plugins=built.plugins,
    )
