"""Engines on this machine's GPU, each loaded in a process of its own: a crash is an answer."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.backends.tensorrt.engine import Description, Kind
from trtbuild.core.arrays import ArrayFile
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import StepFailed
from trtbuild.machine.facts import GPU, capabilities_of, missing
from trtbuild.machine.interpreters import Interpreter
from trtbuild.run.executor import Call, Finished
from trtbuild.run.local import Local
from trtbuild.steps import AnyStep
from trtbuild.steps.base import Pinned
from trtbuild.steps.describe_engine import DescribeEngine
from trtbuild.steps.run_engine import RunEngine

if TYPE_CHECKING:
    import numpy as np

__all__ = ["described", "hindrance_of", "outputs_of"]

WAIT_SECONDS = 1.0


def hindrance_of(kind: str, place: Interpreter) -> str:
    """Say why engines of a kind cannot be loaded here; nothing where it is worth trying."""
    if GPU not in place.facts:
        return "there is no NVIDIA GPU with a driver here"
    return place.hindrance or missing(capabilities_of(kind), place.facts)


def described(
    kind: Kind, engine: Path, place: Interpreter, *, plugins: Sequence[Path] = ()
) -> Description:
    """Load an engine and return what it says of itself.

    Raises:
        StepFailed: it does not load; the message quotes TensorRT, or names the signal that ended
            the process.
    """
    step = DescribeEngine(flavour=kind, engine=_pinned(engine), plugins=_all_pinned(plugins))
    with _carried_out(step, place) as (out, _):
        return Description.model_validate_json((out / "description.json").read_bytes())


def outputs_of(
    kind: Kind, engine: Path, feed: Path, place: Interpreter, *, plugins: Sequence[Path] = ()
) -> tuple[dict[str, np.ndarray], str]:
    """Run an engine on the arrays of an npz file; return its outputs, and which profile ran.

    Raises:
        StepFailed: it does not load or run, or the arrays do not fit it.
    """
    import numpy as np

    step = RunEngine(
        flavour=kind, engine=_pinned(engine), feed=_pinned(feed), plugins=_all_pinned(plugins)
    )
    with _carried_out(step, place) as (out, told):
        file = ArrayFile(out / "outputs.npz")
        return {name: np.array(file.read(name)) for name in file.names}, told.notes[0]


@contextlib.contextmanager
def _carried_out(step: AnyStep, place: Interpreter) -> Iterator[tuple[Path, Finished]]:
    """Run a step in a process under the Python it needs, and show its outputs."""
    with (
        tempfile.TemporaryDirectory(prefix="trtbuild-") as folder,
        contextlib.closing(Local(1)) as executor,
    ):
        out = Path(folder) / "out"
        out.mkdir()
        log = Path(folder) / "log.txt"
        executor.start(
            Call(
                name=step.kind,
                step=step,
                inputs={},
                out=str(out),
                log=str(log),
                python=place.python,
            )
        )
        told = executor.wait(WAIT_SECONDS)
        while not isinstance(told, Finished):
            told = executor.wait(WAIT_SECONDS)
        if told.message:
            raise StepFailed(told.message, step=step.kind, hint=_hint(told, log), code=told.code)
        yield out, told


def _hint(told: Finished, log: Path) -> str:
    """Return what to do; the log ends with its directory, so its last words are kept."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.strip() for line in lines if line.strip()]
    last = f"; its last words: {said[-1]}" if said and "log" in told.hint else ""
    return f"{told.hint}{last}"


def _pinned(path: Path) -> Pinned:
    return Pinned(path=str(path.absolute()), digest=digest_of_file(path))


def _all_pinned(paths: Sequence[Path]) -> tuple[Pinned, ...]:
    return tuple(_pinned(path) for path in paths)
