"""Why an engine cannot take other weights, or should not: what has to be built anew."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.backends.tensorrt.options import GpuTrtOptions
from trtbuild.core.digest import digest_of_file
from trtbuild.core.drift import Drift
from trtbuild.core.placed import RANGES
from trtbuild.recipe.schema import Recipe
from trtbuild.verbs.packaging.placed_build import PlacedBuild

__all__ = ["list_drifted", "list_obstacles"]

IDENTICAL = "refit_identical"
REFITTABLE = ("refittable", IDENTICAL)
"""The options of an engine that has any weights to replace, as engine.json has them."""
SHOWN = 5


def list_obstacles(build: PlacedBuild) -> Iterator[str]:
    """Yield why the engine of a build cannot take other weights, as far as files tell."""
    (engine,) = build.engines
    recipe, told = build.loaded.recipe, engine.result
    if not isinstance(recipe.targets[told.target], GpuTrtOptions):
        yield (
            f"an engine of kind {told.backend} cannot be refitted: TensorRT-RTX lets it where it "
            "compiles on a GPU alone, and ONNX Runtime has none"
        )
        return
    if not any(told.options.get(name) == "on" for name in REFITTABLE):
        yield (
            "it was not built to be refitted: `refit: all` in its target makes an engine that is, "
            "and may cost it some speed"
        )
    if told.options.get(IDENTICAL) == "on":
        yield "it takes the weights that it was built from alone (`refit: identical`)"
    if recipe.quantization is not None and recipe.quantization.mode == "implicit":
        yield "TensorRT finds the scales of weights while it builds, with `mode: implicit`"
    yield from _list_strange(build)


def _list_strange(build: PlacedBuild) -> Iterator[str]:
    """Yield what lies beside the engine and is not what it was built from."""
    told = build.engines[0].result
    if digest_of_file(build.best_model) != told.model_digest:
        yield f"{build.best_model.name} beside it is not the model that it was built from"
    table = build.directory / RANGES
    if told.ranges is not None and (
        not table.is_file() or digest_of_file(table) != told.ranges.digest
    ):
        yield f"{RANGES} beside it is not the table that it was built with"


def list_drifted(recipe: Recipe, drift: Drift | None, most: float) -> Iterator[str]:
    """Yield the tensors whose values moved by more than a factor: their ranges are others' now."""
    found = drift.list_beyond(most) if drift is not None else ()
    for each in found[:SHOWN]:
        yield each.describe()
    if len(found) > SHOWN:
        yield f"{len(found) - SHOWN} more tensors moved by more than {most:g} times"
    if found and recipe.quantization is not None:
        yield "ranges that were found for the old weights do not fit these: calibrate again"
