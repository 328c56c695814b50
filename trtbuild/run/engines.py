"""Engines on the GPU of an executor's place, each in a call of its own: a crash is an answer."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.backends.tensorrt.engine import EngineDescription, Kind
from trtbuild.core.arrays import ArrayFile
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import StepFailed
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.core.words import quote_whole
from trtbuild.machine.places import Place
from trtbuild.run.executor import Call, CallResult, Executor
from trtbuild.steps.base import Pinned, Step
from trtbuild.steps.describe_engine import DescribeEngine
from trtbuild.steps.run_engine import RunEngine

if TYPE_CHECKING:
    import numpy as np

__all__ = ["describe_engine", "find_gpu_place", "run_engine"]

WAIT_SECONDS = 1.0


def find_gpu_place(kind: str, executor: Executor) -> Place:
    """Say where an engine of a kind would run, and why it cannot."""
    return executor.place(Needs(kind=kind, gpu=GpuNeed(), own_process=True))


def describe_engine(
    kind: Kind, engine: Path, executor: Executor, *, plugins: Sequence[Path] = ()
) -> EngineDescription:
    """Load an engine and return what it says of itself.

    Raises:
        StepFailed: it does not load; the message quotes TensorRT, or names the signal that ended
            the process.
    """
    step = DescribeEngine(flavour=kind, engine=_pin(engine), plugins=_pin_all(plugins))
    with _carry_out(step, executor) as (out, _):
        return EngineDescription.model_validate_json((out / "description.json").read_bytes())


def run_engine(
    kind: Kind, engine: Path, feed: Path, executor: Executor, *, plugins: Sequence[Path] = ()
) -> tuple[dict[str, np.ndarray], str]:
    """Run an engine on the arrays of an npz file; return its outputs, and which profile ran.

    Raises:
        StepFailed: it does not load or run, or the arrays do not fit it.
    """
    import numpy as np

    step = RunEngine(flavour=kind, engine=_pin(engine), feed=_pin(feed), plugins=_pin_all(plugins))
    with _carry_out(step, executor) as (out, told):
        file = ArrayFile(out / "outputs.npz")
        return {name: np.array(file.read(name)) for name in file.names}, told.notes[0]


@contextlib.contextmanager
def _carry_out(step: Step, executor: Executor) -> Iterator[tuple[Path, CallResult]]:
    """Run a step, and show its outputs."""
    with tempfile.TemporaryDirectory(prefix="trtbuild-") as folder:
        out = Path(folder) / "out"
        out.mkdir()
        log = Path(folder) / "log.txt"
        executor.start(Call(name=step.kind, step=step, inputs={}, out=str(out), log=str(log)))
        told = executor.wait(WAIT_SECONDS)
        while not isinstance(told, CallResult):
            told = executor.wait(WAIT_SECONDS)
        if told.message:
            raise StepFailed(told.message, step=step.kind, hint=_hint(told, log), code=told.code)
        yield out, told


def _hint(told: CallResult, log: Path) -> str:
    """Return what to do; the log ends with its directory, so its last words are kept."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    said = [line.strip() for line in text.splitlines() if line.strip()]
    last = f"; its last words: {quote_whole(said[-1])}" if said and "log" in told.hint else ""
    return f"{told.hint}{last}"


def _pin(path: Path) -> Pinned:
    return Pinned(path=str(path.absolute()), digest=digest_of_file(path))


def _pin_all(paths: Sequence[Path]) -> tuple[Pinned, ...]:
    return tuple(_pin(path) for path in paths)
