"""What requests at a rate come to."""

from __future__ import annotations

import pytest

from tests.helpers.speed import VirtualClock, serve_at
from trtbuild.core.load import Load

MS = 1_000_000


def even(rate, call_ms, **given):
    """Requests that come evenly for 10 s, to a model that takes so long for a call of any size."""
    clock = VirtualClock(0)
    asked = Load(rates=(rate,), arrivals="uniform", **given)
    return serve_at(asked, lambda _: clock.work(int(call_ms * MS)), clock)


def test_a_model_that_is_fast_enough_has_no_queue():
    """Each request takes what a call takes."""
    row = even(100.0, 5)

    assert (1000, 1000, 5.0, 5.0) == (
        row.requests,
        row.answered,
        row.latency.p50.ms,
        row.latency.most,
    )
    assert (0.0, 0.0, 0.0) == (row.queued_ms, row.queue.mean, row.growth_per_second)
    assert 0.5 == pytest.approx(row.busy, rel=0.01)
    assert 100.0 == pytest.approx(row.per_second, rel=0.01)
    assert "keeps up" == row.describe()


def test_one_that_is_too_slow_is_said_to_be():
    """Twice as many come as go: at the end half of them wait, and it is given up once as long."""
    row = even(100.0, 20)

    assert "cannot keep up: the queue grows by 50.0 a second" == row.describe()
    assert 50.0 == pytest.approx(row.per_second)
    assert 1000 == row.answered == row.requests
    lengths = [length for _, length in row.queue.over_time]
    assert max(lengths) == pytest.approx(500, rel=0.05)
    assert lengths.index(max(lengths)) in (29, 30)
    slower = even(100.0, 40)
    assert (500, 1000) == (slower.answered, slower.requests)
    assert "500 of 1000 requests had no answer" in slower.remarks[0]


def test_batches_carry_what_single_calls_cannot():
    """Four a call: the same model keeps up, at its limit where no batch has room."""
    row = even(100.0, 20, max_batch=4)
    full = even(200.0, 20, max_batch=4, max_wait_ms=50.0)

    assert "keeps up" == row.verdict
    assert 2.0 == pytest.approx(row.batch, rel=0.05)
    assert ("at its limit", 4.0) == (full.verdict, full.batch)


def test_what_is_held_for_others_is_told_apart_from_the_queue():
    """Two that come 10 ms apart go together: one of them was held so long, and neither queued."""
    row = even(100.0, 1, max_batch=2, max_wait_ms=15.0)

    assert (2.0, 5.0, 0.0) == pytest.approx((row.batch, row.held_ms, row.queued_ms))
    assert 6.0 == pytest.approx(row.latency.mean)
