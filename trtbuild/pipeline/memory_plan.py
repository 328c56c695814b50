"""What a pipeline's engines take of the GPU that they share, before any of them is loaded."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from trtbuild.core.errors import MissingDependency, NoGpu, StepInputError
from trtbuild.core.needs import GPU
from trtbuild.core.options import Options
from trtbuild.core.records import TargetResult
from trtbuild.core.words import format_size
from trtbuild.pipeline.load import LoadedPipeline
from trtbuild.recipe.load import load_recipe
from trtbuild.runtime.recipes import find_engine

__all__ = ["MemoryPlan", "StageMemory", "demand_room", "measure_buffers", "plan_memory"]


class StageMemory(Options):
    """What the engine of a stage takes, by what is written down beside it."""

    stage: str
    engine: str
    weights_bytes: int
    context_bytes: int
    """What its layers write and read while they run, by the profile that needs most."""
    buffer_bytes: int
    """Of its inputs and outputs at the largest shapes that profiles take."""

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.weights_bytes + self.context_bytes + self.buffer_bytes

    def describe(self) -> str:
        """Say what it takes, in words."""
        return (
            f"{self.stage} {format_size(self.total_bytes)} (weights "
            f"{format_size(self.weights_bytes)}, layers {format_size(self.context_bytes)}, inputs "
            f"and outputs {format_size(self.buffer_bytes)})"
        )


class MemoryPlan(Options):
    """What all stages take together."""

    gpu: str
    free_bytes: int
    """Of the GPU's memory, before anything is loaded."""
    stages: tuple[StageMemory, ...]
    unknown: tuple[str, ...]
    """The stages of which it is not known before, and why."""

    @property
    def total_bytes(self) -> int:
        """What is known to be taken."""
        return sum(each.total_bytes for each in self.stages)


def plan_memory(
    loaded: LoadedPipeline, build_dir: Path, facts: Mapping[str, str] | None = None
) -> MemoryPlan | None:
    """Return what the engines of all stages take; None where nothing computes on a GPU here.

    Args:
        loaded: the pipeline.
        build_dir: where its recipes were built.
        facts: what is installed, and which GPU is here; looked up by default.

    Raises:
        RecipeError, MissingFile: a stage's recipe is wrong, or not there.
    """
    from trtbuild.machine.facts import InstalledPackages
    from trtbuild.runtime.cuda import Cuda

    facts = InstalledPackages() if facts is None else facts
    if GPU not in facts:
        return None
    try:
        free_bytes = Cuda().count_free_bytes()
    except (MissingDependency, StepInputError):  # then no engine is fed either
        return None
    stages, unknown = [], []
    for name, stage in loaded.pipeline.stages.items():
        if stage.recipe is None or stage.device == "cpu":
            continue
        engine, result = find_engine(load_recipe(loaded.base / stage.recipe), build_dir, facts)
        if result is None or result.memory is None:
            unknown.append(f"{name}: {_explain(engine)}")
        else:
            stages.append(_sum_up(name, engine, result))
    return MemoryPlan(
        gpu=facts[GPU], free_bytes=free_bytes, stages=tuple(stages), unknown=tuple(unknown)
    )


def _explain(engine: Path | None) -> str:
    if engine is None:
        return "its model runs in ONNX Runtime, which takes memory as it goes"
    return f"{engine.name} was built without a GPU, or by an older trtbuild"


def _sum_up(name: str, engine: Path | None, result: TargetResult) -> StageMemory:
    assert result.memory is not None  # noqa: S101  # the caller has looked
    return StageMemory(
        stage=name,
        engine=str(engine),
        weights_bytes=result.memory.weights_bytes,
        context_bytes=result.memory.largest_context_bytes,
        buffer_bytes=measure_buffers(result),
    )


def measure_buffers(result: TargetResult) -> int:
    """Return the bytes of an engine's inputs and outputs at their largest.

    A dimension of an output that has the name of one of an input is as large as that; others that
    are open count as 1, since nothing tells them.
    """
    sizes: dict[str, int] = {}
    for each in result.inputs:
        profiles = [profile.get(str(each["name"]), {}) for profile in result.profiles]
        for axis, size in enumerate(each["shape"]):
            most = [profile["max"][axis] for profile in profiles if "max" in profile]
            if isinstance(size, str):
                sizes[size] = max([1, sizes.get(size, 1), *most])
    return sum(
        _count_bytes(str(each["dtype"]))
        * math.prod(sizes.get(n, 1) if isinstance(n, str) else n for n in each["shape"])
        for each in (*result.inputs, *result.outputs)
    )


def _count_bytes(dtype: str) -> int:
    """Return the bytes of a value; of what has no number in its name (`bool`), one."""
    bits = re.search(r"\d+", dtype)
    return max(int(bits[0]) // 8, 1) if bits else 1


def demand_room(plan: MemoryPlan) -> None:
    """Demand that all fit at once.

    Raises:
        NoGpu: they do not; says what each takes.
    """
    if plan.total_bytes > plan.free_bytes:
        raise NoGpu(
            f"the stages take {format_size(plan.total_bytes)} of {plan.gpu}, and "
            f"{format_size(plan.free_bytes)} are free: {'; '.join(_list_stages(plan))}",
            hint="give a stage `device: cpu`, build with profiles of smaller shapes, or end what "
            "else is on the GPU",
        )


def _list_stages(plan: MemoryPlan) -> Iterator[str]:
    yield from (each.describe() for each in sorted(plan.stages, key=lambda x: -x.total_bytes))
    if plan.unknown:
        yield f"and, not known before, {', '.join(plan.unknown)}"
