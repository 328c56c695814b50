"""Working ahead: in order, bounded, and with the exception in its place."""

from __future__ import annotations

import threading
import time

import pytest

from trtbuild.data.prefetch import map_in_order


@pytest.mark.parametrize("threads", [0, 1, 2, 100])
def test_results_keep_the_order_of_their_items(threads):
    """A slow first item does not let others pass."""

    def work(item: int) -> int:
        time.sleep(0.02 if item == 0 else 0)
        return item * item

    assert [n * n for n in range(50)] == list(map_in_order(work, range(50), threads=threads))


def test_few_results_wait_for_their_reader():
    """With two threads no more than five items are begun before the first is read."""
    begun = []
    results = map_in_order(begun.append, iter(range(1000)), threads=2)
    next(results)
    time.sleep(0.02)

    assert 5 >= len(begun)
    results.close()


def test_an_exception_comes_where_its_result_would_have():
    """The results before it are read first."""

    def work(item: int) -> int:
        if item == 3:
            raise ValueError(str(item))
        return item

    results = map_in_order(work, range(10), threads=4)

    assert [0, 1, 2] == [next(results) for _ in range(3)]
    with pytest.raises(ValueError, match="3"):
        next(results)


def test_no_thread_outlives_its_reader():
    """A reader that stops early leaves no thread behind."""
    results = map_in_order(abs, range(100), threads=2)
    next(results)
    results.close()

    assert not [each for each in threading.enumerate() if each.name.startswith("prefetch")]
