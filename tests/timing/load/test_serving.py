"""Requests served on a clock that stands still but for what is waited for: sums by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.speed import VirtualClock, serve_at
from trtbuild.core.load import Load
from trtbuild.timing.load.arrivals import draw_arrivals
from trtbuild.timing.load.serving import SteadyClock, serve

MS = 1_000_000


def calls_of(due_ms, call_ms, *, most=1, wait_ms=0, give_up_ms=10_000):
    """Return each call as (free and one there, start, end, requests), times in ms."""
    clock = VirtualClock(5 * MS)
    found = serve(
        np.array(due_ms, np.int64) * MS,
        lambda _: clock.work(call_ms * MS),
        most=most,
        wait_ns=wait_ms * MS,
        give_up_ns=give_up_ms * MS,
        clock=clock,
    )
    parts = (found.opened, found.started, found.done)
    return [
        (*(each[place] // MS for each in parts), count) for place, count in enumerate(found.counts)
    ]


def test_who_comes_while_the_model_is_busy_waits():
    """One after the other, in order; a pause is a pause."""
    found = calls_of([0, 1, 2, 50], 10)

    assert [(0, 0, 10, 1), (10, 10, 20, 1), (20, 20, 30, 1), (50, 50, 60, 1)] == found


def test_what_waits_goes_together():
    """As many as a call takes; nothing is held without being told to."""
    found = calls_of([0, 1, 2, 3, 50], 10, most=2)

    assert [(0, 0, 10, 1), (10, 10, 20, 2), (20, 20, 30, 1), (50, 50, 60, 1)] == found


def test_a_call_is_held_until_it_is_full_or_it_has_waited_long_enough():
    """From when the model was free and one was there; a full one waits for nobody."""
    found = calls_of([0, 3, 4, 20, 31, 32, 33], 10, most=3, wait_ms=6)

    assert [(0, 4, 14, 3), (20, 26, 36, 1), (36, 36, 46, 3)] == found


def test_it_is_given_up_where_the_queue_is_too_long():
    """What has begun is ended; nothing more is begun."""
    found = calls_of([0] * 100, 10, give_up_ms=25)

    assert [(0, 0, 10, 1), (10, 10, 20, 1), (20, 20, 30, 1)] == found


def test_times_count_from_when_a_request_was_due():
    """A stall of 100 ms costs those who came meanwhile what it costs: no coordinated omission."""
    clock = VirtualClock(0)
    stalls = iter([100, *[1] * 99])
    row = serve_at(
        Load(rates=(100.0,), arrivals="uniform", seconds=1.0),
        lambda _: clock.work(next(stalls) * MS),
        clock,
    )

    # Requests come each 10 ms; one after the other catches up: 100, 91, 82, ... 10, then 1 ms.
    assert 100.0 == pytest.approx(row.latency.most)
    behind = [100 - 9 * place for place in range(12)]
    expected = [*(each for each in behind if each > 1), *[1] * 89]
    assert (sum(expected) / 100) == pytest.approx(row.latency.mean, rel=0.02)


@pytest.mark.parametrize("used", [0.3, 0.7, 0.9])
def test_waits_are_those_of_theory(used):
    """Poisson arrivals, equal service (M/D/1): the mean wait is u / (2 (1 - u)) services."""
    clock = VirtualClock(0)
    asked = Load(rates=(1000 * used,), seconds=200.0)
    row = serve_at(asked, lambda _: clock.work(MS), clock)

    assert used / (2 * (1 - used)) == pytest.approx(row.queued_ms, rel=0.05)
    assert row.queued_ms + 1.0 == pytest.approx(row.latency.mean)
    assert used == pytest.approx(row.busy, rel=0.02)
    # Little: as many wait as come in the time that one waits.
    assert used * row.queued_ms == pytest.approx(row.queue.mean, rel=0.02)
    assert "keeps up" == row.verdict


def test_the_hosts_clock_waits_no_less_than_it_is_told():
    """However long it then takes."""
    clock = SteadyClock()
    until = clock.now_ns() + 2 * MS
    clock.wait_until_ns(until)

    assert clock.now_ns() >= until
    clock.wait_until_ns(0)


def test_chance_is_drawn_from_the_seed_alone():
    """Equal seeds, equal times; evenly is evenly; as many as the rate says, give or take."""
    asked = Load(rates=(1000.0,), seconds=20.0)
    one, same, other = (
        draw_arrivals(each, 1000.0) for each in (asked, asked, asked.model_copy(update={"seed": 1}))
    )
    even = draw_arrivals(asked.model_copy(update={"arrivals": "uniform"}), 4.0)

    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()
    assert abs(len(one) - 20_000) < 5 * 20_000**0.5
    assert one[-1] <= 20e9
    assert (80, 0, 250_000_000) == (len(even), even[0], even[1])
    assert 1 == len(draw_arrivals(Load(rates=(1.0,), seconds=1.0, seed=3), 0.01))
