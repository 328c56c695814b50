"""Executor: processes of this machine, kept warm, so that a crash stays in one of them."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.devices import Where
from trtbuild.core.locks import NoLocks, try_lock
from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.needs import INFERENCE_DEVICE, GpuNeed, Needs, count_machine_bytes
from trtbuild.machine.facts import list_gpus, show_device
from trtbuild.machine.places import Place, find_place
from trtbuild.run.inference import Inference
from trtbuild.run.interrupts import holding_interrupts

if TYPE_CHECKING:  # a plan asks for places alone
    from trtbuild.run.executor import Call, CallResult, StepProgress
    from trtbuild.run.process import WorkerKey, WorkerMessage, WorkerProcess

__all__ = ["Local"]

GRACE_SECONDS = 0.2
MOST_KEPT_BYTES = 2 << 30
"""A worker that has needed more memory ends, so that the memory returns."""


@dataclass
class _Running:
    call: Call
    needs: Needs
    process: WorkerProcess
    begin: float
    gpu: int | None
    """The lock on the GPU, where the call has it alone."""


class Local:
    """Runs each step in a worker process, up to `jobs` at once.

    A worker that is done waits for the next step of its sort: importing its libraries anew takes
    longer than many a step. One that held a GPU or ran code of the user's ends with its step.
    """

    def __init__(
        self,
        jobs: int,
        *,
        log_level: LogLevel = USUAL,
        device: int | None = None,
        inference: Where = "cpu",
        threads: int | None = None,
        batch: int | None = None,
    ) -> None:
        """Run so many steps at once; on the GPU with an index, of those that CUDA shows.

        `inference` says where ONNX Runtime computes, a `batch` at a time at most. They share so
        many `threads`; without a number, as many as the machine has.
        """
        self._inference = Inference(inference, device=device or 0, batch=batch)
        self._log_level = log_level
        self._device = device
        self._threads = threads or os.cpu_count() or 1
        self._jobs = jobs
        self._waiting: deque[tuple[Call, Needs, int | None]] = deque()
        self._running: dict[int, _Running] = {}
        self._idle: dict[WorkerKey, list[WorkerProcess]] = {}
        self._told: queue.SimpleQueue[WorkerMessage] = queue.SimpleQueue()
        self._happened: deque[CallResult | StepProgress] = deque()
        self._gpu: int | None = None

    @cached_property
    def _bus(self) -> str:
        """Where the GPU is plugged in: two on one machine are timed beside each other."""
        found = list_gpus()[self._device or 0 :]
        return found[0].bus if found else ""

    def place(self, needs: Needs) -> Place:
        """Say under which Python of this machine a step would run, and whether it can."""
        return find_place(needs, self._inference.here)

    def _fill_in(self, needs: Needs) -> Needs:
        """Return what a step needs here: inference takes the GPU where that computes it."""
        if not needs.inference or INFERENCE_DEVICE not in self._inference.here:
            return needs
        return replace(needs, gpu=needs.gpu or GpuNeed(), own_process=True)

    def has_room(self, needs: Needs) -> bool:
        """Tell whether a job is free, and the GPU and the memory that a step needs."""
        needs = self._fill_in(needs)
        taken = [each.needs for each in self._running.values()]
        taken += [waiting for _, waiting, _ in self._waiting]
        if len(taken) >= self._jobs:
            return False
        if not taken:
            return self._gpu_is_free(needs)
        memory = sum(each.memory_bytes or 0 for each in (*taken, needs))
        if memory > count_machine_bytes():
            return False
        gpus = [each.gpu for each in taken if each.gpu is not None]
        if needs.gpu is not None and (any(gpu.alone for gpu in gpus) or (gpus and needs.gpu.alone)):
            return False
        return self._gpu_is_free(needs)

    def _gpu_is_free(self, needs: Needs) -> bool:
        """Take the GPU for a step that needs it alone; another trtbuild may have it."""
        if needs.gpu is None or not needs.gpu.alone or self._gpu is not None:
            return True
        import tempfile

        try:
            name = f"trtbuild-gpu-{_user()}-{self._bus}.lock"
            self._gpu = try_lock(Path(tempfile.gettempdir()) / name)
        except NoLocks:
            return True  # nobody can say that it has the GPU
        return self._gpu is not None

    def start(self, call: Call) -> None:
        """Take a call; it begins when its outcome is waited for, so that threads are shared out."""
        needs = self._fill_in(call.step.needs())
        alone = needs.gpu is not None and needs.gpu.alone
        self._waiting.append((call, needs, self._gpu if alone else None))
        if alone:
            self._gpu = None

    def wait(self, timeout_seconds: float) -> CallResult | StepProgress | None:
        """Return the next progress or end of a step."""
        self._begin()
        if not self._happened:
            with contextlib.suppress(queue.Empty):
                self._hear(self._told.get(timeout=timeout_seconds))
            self._end_overdue()
            self._end_dead()
        return self._happened.popleft() if self._happened else None

    def leave_gpu(self, step: str) -> str:
        """Have models computed on the CPU, where a step found a GPU's memory full; say that."""
        return self._inference.leave_gpu(step)

    def close(self) -> None:
        """End all workers, those that still run a step included."""
        for process in [*(each.process for each in self._running.values()), *self._all_idle()]:
            process.kill()
        waiting = [lock for _, _, lock in self._waiting]
        for lock in (self._gpu, *waiting, *(each.gpu for each in self._running.values())):
            _give_back(lock)
        self._waiting.clear()
        self._running.clear()
        self._idle.clear()
        self._gpu = None

    def _all_idle(self) -> Iterator[WorkerProcess]:
        for processes in self._idle.values():
            yield from processes

    def _begin(self) -> None:
        """Start what was taken since; what runs beside it shares the threads."""
        threads = max(1, self._threads // max(1, len(self._running) + len(self._waiting)))
        while self._waiting:
            with holding_interrupts():  # a worker that nobody knows of would be left behind
                call, needs, gpu = self._waiting.popleft()
                process = self._worker(needs, call)
                running = _Running(call, needs, process, time.perf_counter(), gpu)
                self._running[process.number] = running
            process.run(call, threads, self._log_level)

    def _worker(self, needs: Needs, call: Call) -> WorkerProcess:
        from trtbuild.run.process import WorkerKey, WorkerProcess

        key = WorkerKey(self.place(needs).python or sys.executable, needs.kind)
        idle = self._idle.get(key, [])
        while idle and not needs.own_process:
            process = idle.pop()
            if process.alive():
                return process
            process.kill()  # closes its pipes
        more = None if self._device is None else show_device(self._device)
        return WorkerProcess(key, self._told, log=Path(call.log), environment=more)

    def _hear(self, told: WorkerMessage) -> None:
        running = self._running.get(told.number)
        if running is None:
            return
        from trtbuild.run.executor import StepProgress

        if isinstance(told.what, StepProgress):
            self._happened.append(told.what)
        elif told.what is not None:
            self._end(running, told.what)

    def _end(self, running: _Running, report: dict[str, Any]) -> None:
        from trtbuild.run.executor import CallResult

        process = running.process
        del self._running[process.number]
        _give_back(running.gpu)
        grown = report.pop("peak_bytes", 0) > MOST_KEPT_BYTES
        if running.needs.own_process or grown or not process.alive():
            process.kill()
        else:
            self._idle.setdefault(process.key, []).append(process)
        end = {
            "name": running.call.name,
            "seconds": time.perf_counter() - running.begin,
            "where": f"process {process.pid}",
            **report,
        }
        told = CallResult.model_validate(end)
        self._inference.hear(told)
        self._happened.append(told)

    def _end_overdue(self) -> None:
        """End the workers whose step has taken longer than it may, or that never got ready."""
        now = time.perf_counter()
        for running in list(self._running.values()):
            if running.process.is_late():
                running.process.kill()
                self._end(running, running.process.describe_lateness())
                continue
            limit = running.needs.limit_seconds
            if limit is not None and now - running.begin > limit:
                running.process.kill()
                message = f"took longer than {limit:g} seconds, and was ended"
                hint = "its log says how far it came; `timeout_seconds` is the target's limit"
                self._end(running, {"message": message, "hint": hint, "code": 3})

    def _end_dead(self) -> None:
        """Notice workers that died without a word, whoever still holds their pipe open."""
        for running in list(self._running.values()):
            status = running.process.status()
            if status is None:
                continue
            deadline = time.perf_counter() + GRACE_SECONDS
            while running.process.number in self._running and time.perf_counter() < deadline:
                try:  # what it said before
                    self._hear(self._told.get(timeout=GRACE_SECONDS / 10))
                except queue.Empty:
                    break
            if running.process.number in self._running:
                self._end(running, running.process.describe_death(status))


def _give_back(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
