"""Where each result of a build is placed below its build directory."""

from __future__ import annotations

from collections.abc import Iterable

from trtbuild.core.action import Artifact, Outcome
from trtbuild.core.placed import (
    COMPARISON,
    ENGINE,
    ENGINE_RESULT,
    RANGES,
    SENSITIVITY,
    TIMING_CACHE,
    list_models,
)
from trtbuild.plan.compile import name_target_step
from trtbuild.plan.engine_runs import name_engine_comparison
from trtbuild.recipe.schema import Recipe

__all__ = ["list_placed_files", "map_places", "tells_of_build"]

TOLD = (COMPARISON, RANGES, SENSITIVITY)
"""The names of the files that say what a build came to; the others are what it is for."""


def map_places(recipe: Recipe) -> dict[tuple[str, str], tuple[str, str]]:
    """Return by step and artifact where each is placed, and what it is."""
    places = {("quantize", "ranges"): (RANGES, "the range of every quantized tensor")}
    for model in list_models(recipe.quantized).values():
        places[model.step, "model"] = (model.file, model.what)
        places[model.step, "weights"] = (model.weights, "its large weights")
    places["compare", "comparison"] = (COMPARISON, "what is built against the reference")
    places["sensitivity", "sensitivity"] = (SENSITIVITY, "what INT8 costs, layer by layer")
    for name in recipe.targets:
        step = name_target_step(name)
        places[step, "engine"] = (f"{name}/{ENGINE}", "the engine")
        places[step, "result"] = (f"{name}/{ENGINE_RESULT}", "what was asked for and delivered")
        places[step, "timing_cache"] = (f"{name}/{TIMING_CACHE}", "what TensorRT timed for it")
        compared = name_engine_comparison(name)
        places[compared, "comparison"] = (
            f"{name}/{COMPARISON}",
            "the engine against the reference",
        )
    return places


def list_placed_files(outcomes: Iterable[Outcome], recipe: Recipe) -> dict[str, Artifact]:
    """Return what to place, by path below the build directory."""
    places = map_places(recipe)
    return {
        places[outcome.step, artifact.name][0]: artifact
        for outcome in outcomes
        for artifact in outcome.artifacts
        # A target that times nothing leaves an empty timing cache.
        if (outcome.step, artifact.name) in places and artifact.size_bytes
    }


def tells_of_build(path: str) -> bool:
    """Tell whether a file is placed for what it says of a build, whose gates may have failed."""
    return path.rpartition("/")[2] in TOLD
