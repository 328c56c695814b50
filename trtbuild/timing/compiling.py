"""`torch.compile` within limits: of its own process, of time, and of shapes."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from trtbuild.core.errors import StepInputError

__all__ = ["TooSlowError", "explain_slow", "limit_seconds", "prepare_compiler"]

_MANY = 1024


class TooSlowError(BaseException):
    """It has taken too long; not an `Exception`, which the compiler would catch and go on."""


def explain_slow(seconds: float) -> StepInputError:
    """Return what is told of a module that was not compiled in time."""
    return StepInputError(
        f"compiling took longer than {seconds:g} s",
        hint="`bench.runners` of a recipe gives it more: "
        "{kind: pytorch, compiled: true, compile_seconds: 1200}",
    )


def prepare_compiler() -> None:
    """Let each set of shapes be compiled, by this process alone.

    Beyond a few shapes PyTorch would run eagerly, unasked. A pool of processes that compile, each
    of which loads PyTorch first, would still be there while calls are timed.
    """
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # read when the next is imported
    config = importlib.import_module("torch._dynamo.config")
    for name in ("recompile_limit", "accumulated_recompile_limit", "cache_size_limit"):
        if hasattr(config, name):
            setattr(config, name, _MANY)


@contextlib.contextmanager
def limit_seconds(seconds: float) -> Iterator[None]:
    """End a block that takes longer, where the system has a timer and this is the main thread.

    Raises:
        TooSlowError: it took longer.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise TooSlowError

    was = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, was)
