"""Calls timed one by one; and the calls before them, until they take equally long."""

from __future__ import annotations

import contextlib
import gc
import time
from array import array
from collections.abc import Callable, Iterator

from trtbuild.core.timing import WarmUp

__all__ = ["quiet_collector", "time_calls", "time_events", "warm_up"]

WINDOW_NS = 40_000_000
"""How long a window of warm-up calls lasts, at least."""
AGREE = 0.03
AGREEING = 3
"""So many windows in a row whose medians lie this close together are stable."""
FEWEST = 3
"""Calls of a window, be they ever so slow."""


@contextlib.contextmanager
def quiet_collector() -> Iterator[None]:
    """Keep Python's collector of cycles out of what is timed."""
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def time_calls(call: Callable[[], None], count: int) -> array[int]:
    """Return how long each of so many calls took, in ns by the host's steady clock.

    From just before a call to just after it; what the harness itself adds is two readings of the
    clock and a call of a function.
    """
    clock, times = time.perf_counter_ns, array("q", bytes(8 * count))
    for index in range(count):
        begin = clock()
        call()
        times[index] = clock() - begin
    return times


def time_events(
    call: Callable[[], None], read_ms: Callable[[], float], count: int
) -> tuple[array[int], array[float]]:
    """Return the same, and how long each took by the device's own clock, in ms.

    The device's events are read once the host's clock has stopped.
    """
    clock, times, events = time.perf_counter_ns, array("q"), array("d")
    for _ in range(count):
        begin = clock()
        call()
        times.append(clock() - begin)
        events.append(read_ms())
    return times, events


def warm_up(call: Callable[[], None], *, cap_seconds: float) -> tuple[WarmUp, float]:
    """Call until it takes equally long, or the cap is reached; return how long it then takes.

    In ns, the median of the last window. At least one window is run.
    """
    begin = time.perf_counter_ns()
    medians: list[float] = []
    calls = 0
    while True:
        window = _run_window(call)
        calls += len(window)
        medians.append(sorted(window)[len(window) // 2])
        last = medians[-AGREEING:]
        stable = len(last) == AGREEING and max(last) <= min(last) * (1 + AGREE)
        seconds = (time.perf_counter_ns() - begin) / 1e9
        if stable or seconds >= cap_seconds:
            return WarmUp(calls=calls, seconds=round(seconds, 3), stable=stable), medians[-1]


def _run_window(call: Callable[[], None]) -> array[int]:
    times, taken = array("q"), 0
    while taken < WINDOW_NS or len(times) < FEWEST:
        (one,) = time_calls(call, 1)
        times.append(one)
        taken += one
    return times
