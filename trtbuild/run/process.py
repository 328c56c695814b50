"""WorkerProcess: a Python that runs one step after the other, seen from the one that started it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from trtbuild.core.frozen import frozen
from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.run.executor import Call, StepProgress
from trtbuild.run.identity import (
    Identity,
    describe_stranger,
    describe_unready,
    identify,
    read_identity,
)

__all__ = ["WorkerKey", "WorkerMessage", "WorkerProcess"]

_numbers = itertools.count()
_LISTS = ("notes", "warnings", "caveats")
"""What a report lists."""
READY_SECONDS = 120.0
"""The longest that a worker may take to say which trtbuild it is: some disks are slow."""


class WorkerKey(NamedTuple):
    """What makes one worker as good as another."""

    python: str
    kind: str
    """The kind of target it serves: a process can load one TensorRT alone."""


@frozen
class WorkerMessage:
    """What a worker said: how far it is, or its report."""

    number: int
    what: StepProgress | dict[str, Any] | None
    """None where it will say nothing more, and of a line that is no word of its own."""


class WorkerProcess:
    """A worker process; it ends by itself as soon as this process, or its end of the pipe, is gone.

    Calls go to its standard input, a line each; what it says comes from its standard output, and
    is put into a queue by a thread: pipes cannot be waited for together on every system.
    """

    def __init__(
        self,
        key: WorkerKey,
        told: queue.SimpleQueue[WorkerMessage],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it, with more in its environment; what it says before it is ready goes to `log`."""
        self.key = key
        self.number = next(_numbers)
        self._told = told
        self._log = log
        self._begin = time.perf_counter()
        self._is_ready = self._is_stranger = False
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                # -P: a `json.py` that lies where the command is typed is not to be imported.
                [key.python, "-P", "-m", "trtbuild.run.worker", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                # The interrupt key is for this process: it ends its workers itself.
                start_new_session=True,
                env=None if environment is None else {**os.environ, **environment},
            )
        threading.Thread(target=self._listen, daemon=True, name=f"worker {self.pid}").start()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def run(self, call: Call, threads: int, log_level: LogLevel = USUAL) -> None:
        """Have it run a call; if it is dead, `status` will say so."""
        self._log = Path(call.log)
        self._log.touch()
        asked = {"threads": threads, "log_level": log_level, "call": call.model_dump(mode="json")}
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101  # it was started with a pipe
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(asked).encode() + b"\n")
            stdin.flush()

    def alive(self) -> bool:
        """Tell whether it can take another call."""
        return self._process.poll() is None and not self._is_stranger

    def is_late(self) -> bool:
        """Tell whether it should have said long ago which trtbuild it is."""
        return not self._is_ready and time.perf_counter() - self._begin > READY_SECONDS

    def status(self) -> int | None:
        """Return how it ended; None while it has not."""
        return self._process.poll()

    def kill(self) -> None:
        """End it at once, and what it started with it."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()

    def describe_death(self, status: int) -> dict[str, Any]:
        """Say how it ended, where it did not live to say it itself."""
        if status < 0:
            name = signal.Signals(-status).name
            cause = "; it may have run out of memory" if name == "SIGKILL" else ""
            what, result = f"was ended by {name}{cause}", ""
        else:
            what, result = f"ended with exit code {status}", " and no result"
        if not self._is_ready:
            return describe_unready(self.key.python, what)
        message = f"the process of the step {what}{result}"
        by = signal.Signals(-status).name if status < 0 else ""
        return {"message": message, "hint": "its log may say more", "code": 3, "ended_by": by}

    def describe_lateness(self) -> dict[str, Any]:
        """Say that it took too long to get ready."""
        what = f"said nothing for {READY_SECONDS:g} seconds"
        return describe_unready(self.key.python, what)

    def _listen(self) -> None:
        identify()  # while it starts, which takes longer
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101  # it was started with a pipe
        with stdout:
            for line in stdout:
                self._told.put(WorkerMessage(self.number, self._understand(line)))
        self._told.put(WorkerMessage(self.number, None))

    def _understand(self, line: bytes) -> StepProgress | dict[str, Any] | None:
        """Read a line of the worker's; what is none was written by something that it started."""
        try:
            value = json.loads(line)
            if "hello" in value:
                return self._greet(read_identity(value["hello"]))
            if not self._is_ready and {"unit", "message"} & {*value}:
                return self._greet(None)
            if "unit" in value:
                return StepProgress.model_validate_json(line)
            return {**value, **{name: tuple(value[name]) for name in _LISTS}}
        except (ValueError, TypeError, KeyError, ValidationError):
            with contextlib.suppress(OSError), self._log.open("ab") as log:
                log.write(line)
            return None

    def _greet(self, found: Identity | None) -> dict[str, Any] | None:
        """Take notice of which trtbuild it is; return the end of its call where it is another."""
        own = identify()
        self._is_stranger |= found is None or found.sources != own.sources
        self._is_ready = True
        return describe_stranger(self.key.python, found) if self._is_stranger else None
