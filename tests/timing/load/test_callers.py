"""A caller for each size of batch."""

from __future__ import annotations

import numpy as np

from tests.helpers.speed import Spinning
from trtbuild.timing.load.callers import Callers, list_sizes


class Noting(Spinning):
    """Notes the size of each call."""

    def __init__(self, log):
        super().__init__(log=log)
        self.closed = False

    def call(self):
        self.log.append(len(self.arrays["x"]))

    def fork(self):
        return Noting(self.log)


def test_small_sizes_are_all_made_and_large_ones_in_steps():
    """The largest is always there."""
    assert (1,) == list_sizes(1)
    assert (1, 2, 3, 4, 5) == list_sizes(5)
    assert (*range(1, 17), 20) == list_sizes(20)
    assert (*range(1, 17), 24, 32, 40, 48, 56, 64, 96, 100) == list_sizes(100)


def test_a_batch_runs_in_the_smallest_that_holds_it():
    """All are warm by then."""
    log = []
    feeds = {size: {"x": np.zeros((size, 2), np.float32)} for size in (1, 2, 4)}
    callers = Callers(Noting(log), feeds, warmup_seconds=0.0)
    warm = set(log)
    log.clear()
    for count in (1, 2, 3, 4):
        callers.call(count)
    callers.close()

    assert {1, 2, 4} == warm
    assert [1, 2, 4, 4] == log
