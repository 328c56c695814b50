"""Executor: steps run right here, in this process."""

from __future__ import annotations

import time

from trtbuild.core.devices import Where
from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.needs import Needs
from trtbuild.machine.places import Place, find_place
from trtbuild.run.executor import Call, CallResult, StepProgress
from trtbuild.run.inference import Inference

__all__ = ["Inline"]


class Inline:
    """Runs a step in this process, during `start`: for tests and for debuggers."""

    def __init__(
        self,
        threads: int = 1,
        *,
        log_level: LogLevel = USUAL,
        inference: Where = "cpu",
        batch: int | None = None,
    ) -> None:
        """Give each step so many threads.

        `inference` says where ONNX Runtime computes, a `batch` at a time at most.
        """
        self._inference = Inference(inference, batch=batch)
        self._threads = threads
        self._log_level = log_level
        self._happened: list[CallResult | StepProgress] = []

    def place(self, needs: Needs) -> Place:
        """Say what is here; another Python is not."""
        found = find_place(needs, self._inference.here)
        if found.python:
            return Place(found.facts, f"it is to run under {found.python}, and all runs here")
        return found

    def has_room(self, needs: Needs) -> bool:
        """Tell whether the last call has been waited for."""
        del needs
        return not self._happened

    def start(self, call: Call) -> None:
        """Run the call here and now."""
        from trtbuild.run.worker import run_call

        begin = time.perf_counter()
        report = run_call(
            call, self._happened.append, threads=self._threads, log_level=self._log_level
        )
        seconds = time.perf_counter() - begin
        end = CallResult(seconds=seconds, where="this process", **report)
        self._inference.hear(end)
        self._happened.append(end)

    def leave_gpu(self, step: str) -> str:
        """Have models computed on the CPU, where a step found a GPU's memory full; say that."""
        return self._inference.leave_gpu(step)

    def wait(self, timeout_seconds: float) -> CallResult | StepProgress | None:
        """Return what happened during `start`, one thing at a time."""
        del timeout_seconds
        return self._happened.pop(0) if self._happened else None

    def close(self) -> None:
        """Nothing runs between calls."""
