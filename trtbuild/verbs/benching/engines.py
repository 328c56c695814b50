"""Which of a recipe's engines can run where an executor is, and why others cannot."""

from __future__ import annotations

from dataclasses import dataclass

from trtbuild.backends import Target
from trtbuild.core.needs import GPU, read_capability
from trtbuild.core.timing import NotRun
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.engines import find_gpu_place
from trtbuild.run.executor import Executor
from trtbuild.timing.base import name_variant

__all__ = ["EnginePlaces", "find_engines"]


@dataclass(frozen=True)
class EnginePlaces:
    """The targets whose engines can run, and the others."""

    runnable: tuple[str, ...]
    not_run: tuple[NotRun, ...]


def find_engines(loaded: LoadedRecipe, executor: Executor) -> EnginePlaces:
    """Ask for each target of TensorRT whether its engine can be built and run."""
    found, left = [], []
    for name, target in loaded.recipe.targets.items():
        if target.kind == "onnxruntime":  # an ONNX model, which is among the models
            continue
        if why := _explain_no_run(target, executor):
            left.append(NotRun(name=name_variant(name, "engine"), reason=why))
        else:
            found.append(name)
    return EnginePlaces(tuple(found), tuple(left))


def _explain_no_run(target: Target, executor: Executor) -> str:
    built = executor.place(target.needs())
    place = find_gpu_place(target.kind, executor)
    if why := built.hindrance or place.hindrance:
        return why
    gpu, meant = place.facts.get(GPU, ""), target.built_for()
    if target.needs().gpu is None and read_capability(gpu) not in meant:
        return f"it is for {', '.join(meant)}, and here is {gpu}"
    return ""
