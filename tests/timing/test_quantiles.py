"""Percentiles, and how sure they are."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.timing.quantiles import count_effective, find_ranks, summarize


def test_ranks_are_the_textbook_ones():
    """Of 10 values, the 2nd and 9th bound the median: P(X < 2) = 11/1024, and 9 of 10 likewise."""
    assert (2, 9) == find_ranks(10, 0.5)


@pytest.mark.parametrize(("count", "high"), [(367, None), (368, 368)])
def test_too_few_calls_do_not_bound_a_high_percentile(count, high):
    """0.99^n is above 2.5 % up to n = 367."""
    assert high == find_ranks(count, 0.99)[1]


def test_nothing_is_left_out():
    """One call of ten took a second: it is the most, and in the mean."""
    found = summarize([[1e6] * 5, [1e6] * 4 + [1e9]])

    assert (10, 1.0, 1000.0) == (found.calls, found.least, found.most)
    assert 100.9 == pytest.approx(found.mean)
    assert (1.0, 1.0) == found.blocks
    assert 1.0 == found.p50.ms


def test_an_interval_holds_the_truth_as_often_as_it_says():
    """Of exponential times the median is ln 2: in about 95 of 100 runs it lies inside."""
    drawn = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        found = summarize(drawn.exponential(1.0, (20, 20)), unit_ms=1.0).p50
        hits += found.low <= np.log(2) <= found.high

    assert 183 <= hits <= 199


def test_calls_that_hang_together_count_for_fewer():
    """Where each block has one level, 20 blocks of 50 say no more than 20 calls."""
    drawn = np.random.default_rng(1)
    levels = [np.full(50, drawn.normal()) for _ in range(20)]
    apart = list(drawn.normal(size=(20, 50)))

    assert 20 == count_effective(levels, float(np.median(levels)), 0.5)
    assert 500 < count_effective(apart, float(np.median(apart)), 0.5) <= 1000
