"""Where the engines of a recipe can run, to be compared themselves and not only by their model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.core.needs import GPU, GpuNeed, Needs, read_capability
from trtbuild.machine.places import Place
from trtbuild.plan.engine_runs import explain_no_run, list_runnable
from trtbuild.recipe.schema import Recipe

if TYPE_CHECKING:
    from trtbuild.run.executor import Executor

__all__ = ["find_engine_places"]


def find_engine_places(
    recipe: Recipe, executor: Executor, places: Mapping[str, Place]
) -> tuple[dict[str, Mapping[str, str]], tuple[str, ...]]:
    """Return the facts of the place where each target's engine can run, and remarks.

    `places` are those where the targets are built. A target without such a place is not in it, and
    is remarked on only where its GPU is here.
    """
    found: dict[str, Mapping[str, str]] = {}
    remarks = []
    for name, backend in list_runnable(recipe):
        if places[name].hindrance:
            continue
        on_gpu = backend.needs().gpu is not None
        place = places[name] if on_gpu else executor.place(_need(backend.kind))
        gpu = place.facts.get(GPU, "")
        # What is built on a GPU is for that one, and where it is built is asked of the executor.
        if place.hindrance or (not on_gpu and read_capability(gpu) not in backend.built_for()):
            continue
        if why := explain_no_run(backend):
            remarks.append(f"the engine of `{name}` is not compared: {why}")
        else:
            found[name] = place.facts
    return found, tuple(remarks)


def _need(kind: str) -> Needs:
    return Needs(kind=kind, gpu=GpuNeed(), own_process=True)
