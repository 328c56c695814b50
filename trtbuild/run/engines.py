"""Engines on the GPU of an executor's place, each in a call of its own: a crash is an answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.backends.tensorrt.engine import EngineDescription, EngineKind
from trtbuild.core.arrays import ArrayFile
from trtbuild.core.digest import digest_of_file
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.machine.places import Place
from trtbuild.run.executor import Executor
from trtbuild.run.one_call import carry_out
from trtbuild.steps.base import Pinned
from trtbuild.steps.describe_engine import DescribeEngine
from trtbuild.steps.run_engine import RunEngine

if TYPE_CHECKING:
    import numpy as np

__all__ = ["describe_engine", "find_gpu_place", "run_engine"]


def find_gpu_place(kind: str, executor: Executor) -> Place:
    """Say where an engine of a kind would run, and why it cannot."""
    return executor.place(Needs(kind=kind, gpu=GpuNeed(), own_process=True))


def describe_engine(
    kind: EngineKind, engine: Path, executor: Executor, *, plugins: Sequence[Path] = ()
) -> EngineDescription:
    """Load an engine and return what it says of itself.

    Raises:
        StepFailed: it does not load; the message quotes TensorRT, or names the signal that ended
            the process.
    """
    step = DescribeEngine(flavour=kind, engine=_pin(engine), plugins=_pin_all(plugins))
    with carry_out(step, executor) as (out, _):
        return EngineDescription.model_validate_json((out / "description.json").read_bytes())


def run_engine(
    kind: EngineKind, engine: Path, feed: Path, executor: Executor, *, plugins: Sequence[Path] = ()
) -> tuple[dict[str, np.ndarray], str]:
    """Run an engine on the arrays of an npz file; return its outputs, and which profile ran.

    Raises:
        StepFailed: it does not load or run, or the arrays do not fit it.
    """
    import numpy as np

    step = RunEngine(flavour=kind, engine=_pin(engine), feed=_pin(feed), plugins=_pin_all(plugins))
    with carry_out(step, executor) as (out, told):
        file = ArrayFile(out / "outputs.npz")
        return {name: np.array(file.read(name)) for name in file.names}, told.notes[0]


def _pin(path: Path) -> Pinned:
    return Pinned(path=str(path.absolute()), digest=digest_of_file(path))


def _pin_all(paths: Sequence[Path]) -> tuple[Pinned, ...]:
    return tuple(_pin(path) for path in paths)
