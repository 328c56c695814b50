"""One step, run outside any plan: nothing of it is kept."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trtbuild.core.action import Outcome
from trtbuild.core.errors import StepFailed
from trtbuild.core.words import quote_whole
from trtbuild.run.executor import Call, CallResult, Executor, Listener, QuietListener
from trtbuild.steps.base import Step

__all__ = ["carry_out"]

WAIT_SECONDS = 1.0


@contextlib.contextmanager
def carry_out(
    step: Step, executor: Executor, *, name: str = "", listener: Listener | None = None
) -> Iterator[tuple[Path, CallResult]]:
    """Run a step, and show its outputs; its files are gone afterwards.

    Raises:
        StepFailed: it failed; the message is its own, or names the signal that ended the process.
    """
    heard = QuietListener() if listener is None else listener
    with tempfile.TemporaryDirectory(prefix="trtbuild-") as folder:
        out = Path(folder) / "out"
        out.mkdir()
        log = Path(folder) / "log.txt"
        call = Call(name=name or step.kind, step=step, inputs={}, out=str(out), log=str(log))
        executor.start(call)
        heard.started(call.name)
        told = executor.wait(WAIT_SECONDS)
        while not isinstance(told, CallResult):
            if told is not None:
                heard.progressed(told)
            told = executor.wait(WAIT_SECONDS)
        if told.message:
            raise StepFailed(told.message, step=call.name, hint=_hint(told, log), code=told.code)
        ended = Outcome(
            step=call.name, digest="", status="ran", seconds=told.seconds, where=told.where
        )
        heard.finished(ended)
        yield out, told


def _hint(told: CallResult, log: Path) -> str:
    """Return what to do; the log ends with its directory, so its last words are kept."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    said = [line.strip() for line in text.splitlines() if line.strip()]
    last = f"; its last words: {quote_whole(said[-1])}" if said and "log" in told.hint else ""
    return f"{told.hint}{last}"
