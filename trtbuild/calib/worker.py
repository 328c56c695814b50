"""Worker: another process of a calibration, and what runs in it.

Not a thread: NumPy counts under the interpreter's lock. Not a fork: it would stop where another
thread held a lock, and only POSIX has them. It is a Python started anew that hears through its
standard input and ends at once when that ends, so that it never outlives the one that started it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import IO, Any, Protocol

from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feed

__all__ = ["Job", "Reducer", "Worker", "serve"]

_START = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from trtbuild.calib.worker import serve; serve(sys.argv[1].split())"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_SIZE_BYTES = 8


class Reducer(Protocol):
    """What a process does with feeds."""

    def add(self, feed: Feed) -> None:
        """Take one in.

        Raises:
            StepInputError: it cannot be used.
        """

    def result(self) -> Any:
        """Return what came of all; has to be picklable, as the feeds."""


Job = Callable[[], Reducer]
"""Makes a reducer in another process; has to be picklable."""


class Worker:
    """Another process, seen from here: a reducer, once it was told to `begin`.

    Each method waits for the answer, and raises what went wrong there.
    """

    def __init__(self, imports: Sequence[str]) -> None:
        """Start it; it imports ahead what it will need."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, " ".join(imports), *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD},
            # The interrupt key is for the process that starts it, which ends it.
            process_group=0,
        )

    def begin(self, job: Job) -> None:
        """Have it make its reducer.

        Raises:
            StepInputError: it refused that, or is dead; anything else is a bug.
        """
        self._ask("begin", job)

    def add(self, feed: Feed) -> None:
        """Have it take a feed in; raises as `begin`."""
        self._ask("add", feed)

    def result(self) -> Any:
        """Return what came of all its feeds; raises as `begin`."""
        return self._ask("result")

    def end(self) -> None:
        """Kill it: it may be in the middle of a feed."""
        with contextlib.suppress(BrokenPipeError), self._process:  # closes the pipes, and waits
            self._process.kill()

    def _ask(self, *question: Any) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101  # it was started with pipes
        assert stdout is not None  # noqa: S101
        answer = None
        with contextlib.suppress(OSError):  # it is gone
            _write(stdin, question)
            answer = _read(stdout)
        if answer is None:
            raise self._death()
        how, value = pickle.loads(answer)  # noqa: S301  # from a process that was started here
        if how == "refused":
            raise value
        if how == "crashed":
            raise RuntimeError(f"in a calibration process:\n{value}")
        return value

    def _death(self) -> Exception:
        status = self._process.wait()
        if status > 0:
            return RuntimeError(f"a calibration process ended with exit code {status}")
        return StepInputError(
            f"calibration process {self._process.pid} died",
            hint="the likely cause is a lack of memory: let fewer threads work, or free some",
        )


def serve(imports: Sequence[str]) -> None:
    """Be a worker: answer what is asked on standard input, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    questions: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, questions), daemon=True).start()
    for name in imports:
        importlib.import_module(name)
    work = _Work()
    while True:
        answer = work.answer(questions.get())
        with contextlib.suppress(BrokenPipeError):  # `_listen` ends the process
            _write(answers, answer)


class _Work:
    """The reducer of this process, and the answers to what is asked of it."""

    _reducer: Reducer

    def answer(self, question: bytes) -> tuple[str, Any]:
        """Do what is asked; say how it went, and what came of it."""
        try:
            what, *given = pickle.loads(question)  # noqa: S301  # from whoever started this process
            return "done", getattr(self, what)(*given)
        except StepInputError as error:
            return "refused", error
        except Exception:  # noqa: BLE001  # told to the other side, which raises it as a bug
            return "crashed", traceback.format_exc()

    def begin(self, job: Job) -> None:
        self._reducer = job()

    def add(self, feed: Feed) -> None:
        self._reducer.add(feed)

    def result(self) -> Any:
        return self._reducer.result()


def _listen(pipe: IO[bytes], questions: SimpleQueue[bytes]) -> None:
    """Pass on what comes, and end this process when nothing can come any more."""
    while (question := _read(pipe)) is not None:
        questions.put(question)
    os._exit(0)  # in the middle of whatever it does


def _write(pipe: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(len(data).to_bytes(_SIZE_BYTES, "little"))
    pipe.write(data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes | None:
    """Return the next message; None where the other side is gone, be it in the middle of one."""
    head = pipe.read(_SIZE_BYTES)
    size = int.from_bytes(head, "little")
    data = pipe.read(size) if len(head) == _SIZE_BYTES else b""
    return data if data and len(data) == size else None
