"""Several callers at once: how much comes out, and what each call then takes."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Sequence

from trtbuild.core.timing import StreamRate
from trtbuild.timing.base import OpenRunner

__all__ = ["run_streams"]


def run_streams(runner: OpenRunner, count: int, *, seconds: float, batch: int | None) -> StreamRate:
    """Let so many callers call for so long, each with its next call as soon as one is done.

    Each is a thread with a fork of the runner. What is counted is what began in time; the time ends
    with the last of these.
    """
    import numpy as np

    callers = [runner.fork() for _ in range(count)]
    try:
        for each in callers:
            each.call()
        times, elapsed = _run(callers, seconds)
    finally:
        for each in callers:
            each.close()
    every = np.concatenate([np.frombuffer(each, np.int64) for each in times]) / 1e6
    return StreamRate(
        streams=count,
        per_second=(batch or 1) * len(every) / elapsed,
        p50_ms=float(np.quantile(every, 0.5)),
        p99_ms=float(np.quantile(every, 0.99)),
    )


def _run(callers: Sequence[OpenRunner], seconds: float) -> tuple[list[array[int]], float]:
    """Return the times of each caller's calls in ns, and how long all of them took."""
    clock, times = time.perf_counter_ns, [array("q") for _ in callers]
    begun: list[int] = []
    ready = threading.Barrier(len(callers), action=lambda: begun.append(clock()))
    problems: list[BaseException] = []

    def work(caller: OpenRunner, mine: array[int]) -> None:
        try:
            ready.wait()
            end = begun[0] + int(seconds * 1e9)
            begin = clock()
            while begin < end or not mine:  # at least once, however late it got its turn
                caller.call()
                now = clock()
                mine.append(now - begin)
                begin = now
        except BaseException as error:  # noqa: BLE001  # told by the thread that waits
            problems.append(error)
            ready.abort()

    threads = [
        threading.Thread(target=work, args=each) for each in zip(callers, times, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = (clock() - begun[0]) / 1e9 if begun else 0.0
    if problems:
        raise problems[0]
    return times, elapsed
