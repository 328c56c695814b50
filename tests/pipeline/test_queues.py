"""Bounded queues: order, room, time."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtbuild.pipeline.queues import BoundedQueue, PipelineStopped
from trtbuild.pipeline.schema import Queue


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 40))
def test_what_is_put_comes_out_once_and_in_order(size, most, count):
    """However large it is, and however much is taken at once."""
    queue: BoundedQueue[int] = BoundedQueue(Queue(size=size))

    def fill():
        for number in range(count):
            queue.put(number)
        queue.close()

    thread = threading.Thread(target=fill)
    thread.start()
    found = []
    while taken := queue.take(most, 0.0):
        assert len(taken) <= most
        found += taken
    thread.join()

    assert list(range(count)) == found
    assert (count, 0) == (queue.put_count, queue.dropped)
    assert queue.longest <= size


def test_the_oldest_goes_where_it_may():
    """And is counted."""
    queue: BoundedQueue[int] = BoundedQueue(Queue(size=2, full="drop_oldest"))
    for number in range(5):
        queue.put(number)

    assert ([3, 4], 3) == (queue.take(9, 0.0), queue.dropped)


def test_a_batch_waits_for_others_but_not_longer_than_is_said():
    """What comes in time is in it."""
    queue: BoundedQueue[int] = BoundedQueue(Queue())
    queue.put(1)
    threading.Timer(0.02, queue.put, (2,)).start()

    assert [1, 2] == queue.take(2, 10.0)
    queue.put(3)
    before = time.monotonic()
    assert [3] == queue.take(2, 0.05)
    assert time.monotonic() - before >= 0.05


def test_nobody_waits_when_it_stops():
    """Neither who fills it, nor who empties it."""
    full: BoundedQueue[int] = BoundedQueue(Queue(size=1))
    full.put(1)
    threading.Timer(0.02, full.stop).start()
    with pytest.raises(PipelineStopped):
        full.put(2)
    with pytest.raises(PipelineStopped):
        full.take(1, 0.0)
