"""A calibration sample, for a server to warm up with before the first request."""

from __future__ import annotations

from pathlib import Path

from trtbuild.core.errors import MissingDependency, MissingFile, StepFailed
from trtbuild.core.sensitivity import PickedSamples
from trtbuild.plan.preview import PreviewRequest, name_picked
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor, QuietListener
from trtbuild.store.store import Store
from trtbuild.verbs.build import compile_for_machine, walk_all
from trtbuild.verbs.run_artifacts import RunArtifacts

__all__ = ["take_sample"]

Arrays = dict[str, bytes]
Shapes = dict[str, tuple[int, ...]]


def take_sample(
    loaded: LoadedRecipe, store: Store, executor: Executor
) -> tuple[Arrays, Shapes, str]:
    """Return the bytes and shapes of one calibration sample, or why there is none."""
    recipe = loaded.recipe
    name = recipe.quantization.data if recipe.quantization is not None else None
    if name is None:
        return {}, {}, "models warm up with zeros: the recipe calibrates on no data"
    request = PreviewRequest((name,), 1, model=False, shown=False)
    step = name_picked(name)
    try:
        made, _ = compile_for_machine(
            loaded, store, executor, targets=(), fetch=False, preview=request
        )
        made = made.cut_after((step,))
        outcomes = walk_all(made, store, executor, QuietListener())
    except (MissingFile, MissingDependency, StepFailed) as error:
        return {}, {}, f"models warm up with zeros: the calibration data: {error.message}"
    found = RunArtifacts(tuple(outcomes), store).read(step, "picked", PickedSamples)
    if found is None:
        return {}, {}, "models warm up with zeros: there is no sample"
    digest = next(
        artifact.digest
        for outcome in outcomes
        if outcome.step == step
        for artifact in outcome.artifacts
        if artifact.name == "samples"
    )
    return (*_read_sample(store.object_path(digest)), "")


def _read_sample(path: Path) -> tuple[Arrays, Shapes]:
    from trtbuild.data.archive import read_samples

    sample = next(iter(read_samples(path, labels=None, name_of=str)))
    return (
        {name: array.tobytes() for name, array in sample.arrays.items()},
        {name: array.shape for name, array in sample.arrays.items()},
    )
