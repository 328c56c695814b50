"""Executor: a subprocess a step, so that a crash stays in it and its memory is returned."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from trtbuild.run.executor import Call, Finished, Progress

__all__ = ["Local"]


@dataclass
class _Running:
    call: Call
    process: subprocess.Popen[bytes]
    pipe: int
    begin: float
    text: bytes = b""
    report: dict[str, object] = field(default_factory=dict)


class Local:
    """Runs each step in a Python process of its own, up to `jobs` at once."""

    def __init__(self, jobs: int) -> None:
        self.threads = os.cpu_count() or 1
        self._jobs = jobs
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, _Running] = {}
        self._happened: deque[Finished | Progress] = deque()

    def has_room(self) -> bool:
        """Tell whether fewer than `jobs` steps are running."""
        return len(self._running) < self._jobs

    def start(self, call: Call) -> None:
        """Start the worker process of a call."""
        file = Path(call.log).with_name("call.json")
        file.write_text(call.model_dump_json(), encoding="utf-8")
        reader, writer = os.pipe()
        with Path(call.log).open("wb") as log:
            process = subprocess.Popen(
                [
                    call.python or sys.executable,
                    "-m",
                    "trtbuild.run.worker",
                    str(file),
                    str(writer),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(writer,),
                env=_environment(call.threads),
                # The interrupt key is for this process: it ends its workers itself.
                start_new_session=True,
            )
        os.close(writer)
        self._running[reader] = _Running(call, process, reader, time.perf_counter())
        self._selector.register(reader, selectors.EVENT_READ)

    def wait(self, timeout_seconds: float) -> Finished | Progress | None:
        """Return the next progress or end of a step."""
        if not self._happened:
            for key, _ in self._selector.select(timeout_seconds):
                self._read(self._running[key.fd])
            self._end_overdue()
        return self._happened.popleft() if self._happened else None

    def close(self) -> None:
        """End the workers that still run."""
        for running in self._running.values():
            running.process.kill()
            running.process.wait()
            os.close(running.pipe)
        self._running.clear()
        self._selector.close()

    def _end_overdue(self) -> None:
        """End the workers whose step has taken longer than it may."""
        now = time.perf_counter()
        for running in list(self._running.values()):
            limit = running.call.step.timeout()
            if limit is not None and now - running.begin > limit:
                running.process.kill()
                running.report = {
                    "message": f"took longer than {limit:g} seconds, and was ended",
                    "hint": "its log says how far it came; `timeout_seconds` is the target's limit",
                    "code": 3,
                }
                self._end(running)

    def _read(self, running: _Running) -> None:
        data = os.read(running.pipe, 1 << 16)
        running.text += data
        *lines, running.text = running.text.split(b"\n")
        for line in lines:
            told = json.loads(line)
            if "unit" in told:
                self._happened.append(Progress.model_validate_json(line))
            else:
                running.report = told
        if not data:
            self._end(running)

    def _end(self, running: _Running) -> None:
        self._selector.unregister(running.pipe)
        os.close(running.pipe)
        del self._running[running.pipe]
        status = running.process.wait()
        end = {
            "name": running.call.name,
            "seconds": time.perf_counter() - running.begin,
            "where": f"process {running.process.pid}",
            **(running.report or _crash(status)),
        }
        self._happened.append(Finished.model_validate_json(json.dumps(end)))


def _crash(status: int) -> dict[str, object]:
    """Say how a worker ended that did not live to say it itself."""
    if status < 0:
        name = signal.Signals(-status).name
        cause = "; it may have run out of memory" if name == "SIGKILL" else ""
        message = f"the process of the step was ended by {name}{cause}"
    else:
        message = f"the process of the step ended with exit code {status} and no result"
    return {"message": message, "hint": "its log may say more", "code": 3}


def _environment(threads: int) -> dict[str, str]:
    """Return this environment with the thread counts of numerical libraries set."""
    limits = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**os.environ, **(dict.fromkeys(limits, str(threads)) if threads else {})}
