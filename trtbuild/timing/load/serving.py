"""One caller that serves requests as they come due, several a call where more than one waits."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Clock", "Served", "SteadyClock", "serve"]

_SPIN_NS = 500_000
"""Before a request is due, sleeping ends so much earlier: a sleep may last so much longer."""


class Clock(Protocol):
    """What tells the time, and waits."""

    def now_ns(self) -> int:
        """Return the time in ns since some moment."""

    def wait_until_ns(self, when: int) -> None:
        """Return at that time; at once where it has passed."""


class SteadyClock:
    """The host's steady clock."""

    def now_ns(self) -> int:
        """Return its time."""
        return time.perf_counter_ns()

    def wait_until_ns(self, when: int) -> None:
        """Sleep, and for the last half millisecond look again and again."""
        while (left := when - time.perf_counter_ns()) > 0:
            if left > _SPIN_NS:
                time.sleep((left - _SPIN_NS) / 1e9)


@dataclass
class Served:
    """The calls that were made, in ns from the start."""

    opened: array[int] = field(default_factory=lambda: array("q"))
    """When the model was free and the first of the call's requests was there."""
    started: array[int] = field(default_factory=lambda: array("q"))
    done: array[int] = field(default_factory=lambda: array("q"))
    counts: array[int] = field(default_factory=lambda: array("q"))
    """Requests of each call, which are the next in order."""


def serve(
    due: np.ndarray,
    call: Callable[[int], None],
    *,
    most: int,
    wait_ns: int,
    give_up_ns: int,
    clock: Clock,
) -> Served:
    """Serve requests that are due at given times (ns, in order) until all are, or it is given up.

    A call takes what waits, in order and at most so many. Where that is not full, it is held so
    long for more, from when the model was free and one was there: what `trtbuild run` does. The
    times are known beforehand, so that nobody's arrival is put off by a call that is slow; `call`
    is told how many requests it is for.
    """
    times = due.tolist()
    total, place = len(times), 0
    found = Served()
    begin = clock.now_ns()
    while place < total:
        clock.wait_until_ns(begin + times[place])
        opened = clock.now_ns() - begin
        if opened >= give_up_ns:
            break
        full = times[place + most - 1] if place + most <= total else opened + wait_ns
        if wait_ns and full > opened:
            clock.wait_until_ns(begin + min(full, opened + wait_ns))
        started = clock.now_ns() - begin
        count = _count_due(times, place, most, started)
        call(count)
        found.opened.append(opened)
        found.started.append(started)
        found.done.append(clock.now_ns() - begin)
        found.counts.append(count)
        place += count
    return found


def _count_due(times: list[int], place: int, most: int, now: int) -> int:
    """Return how many requests from a place on are due, at least one and at most so many."""
    count = 1
    while count < most and place + count < len(times) and times[place + count] <= now:
        count += 1
    return count
