from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtbuild.calib.count import BINS
from trtbuild.calib.histogram import Histogram, NotFinite

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


def histogram_of(*parts):
    histogram = Histogram()
    for part in parts:
        histogram.add(np.asarray(part, np.float32))
    return histogram


def state_of(histogram):
    return (
        histogram.low,
        histogram.high,
        histogram.total,
        histogram.exponent,
        histogram.counts.tolist(),
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(floats, min_size=1, max_size=40), st.data())
def test_order_batches_and_shards_do_not_matter(values, data):
    """The same values, in any order, blocks and shards, make the same histogram."""
    shuffled = data.draw(st.permutations(values))
    cut = data.draw(st.integers(0, len(values)))
    one, other = histogram_of(shuffled[:cut]), histogram_of(*([v] for v in shuffled[cut:]))

    one.merge(other)

    assert state_of(histogram_of(values)) == state_of(one)


def test_a_value_lies_in_the_bin_of_its_absolute_value():
    """With 3.0 the largest, bins are 4 / BINS wide."""
    histogram = histogram_of([0.0, -1.0, 1.0, 3.0])

    assert 4 / BINS == histogram.width
    expected = np.zeros(BINS, np.int64)
    expected[[0, BINS // 4, 3 * BINS // 4]] = [1, 2, 1]
    assert expected.tolist() == histogram.counts.tolist()
    assert (-1.0, 3.0, 3.0, 4) == (
        histogram.low,
        histogram.high,
        histogram.absmax,
        histogram.total,
    )


def test_a_power_of_two_fits():
    """The span is open above: 4.0 needs [0, 8)."""
    assert 8 / BINS == histogram_of([4.0]).width


def test_a_larger_value_merges_neighbours():
    """Growing the span by two octaves puts four bins into one."""
    fine = histogram_of(np.arange(BINS) / BINS)

    fine.add(np.asarray([2.0], np.float32))

    assert [4] * (BINS // 4) == fine.counts[: BINS // 4].tolist()
    assert 1 == fine.counts[BINS // 2]


@pytest.mark.parametrize("largest", [np.finfo(np.float32).max, 1e-38, 1e-45])
def test_the_ends_of_float32_are_counted(largest):
    """Neither the largest float nor a denormal is lost."""
    histogram = histogram_of([largest, -largest, 0.0])

    assert 3 == histogram.counts.sum()
    assert float(np.float32(largest)) == histogram.absmax


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(bad):
    """A NaN or infinity raises."""
    with pytest.raises(NotFinite):
        histogram_of([1.0], [1.0, bad, 2.0])


def test_nothing_added_is_no_range():
    """Empty arrays change nothing."""
    histogram = histogram_of(np.zeros((0, 3)))

    assert (0, 0.0) == (histogram.total, histogram.absmax)


def test_uncounted_keeps_the_extent_only():
    """Where only the extent is wanted, no counts are kept."""
    histogram, other = Histogram(counted=False), Histogram(counted=False)
    histogram.add(np.asarray([-5, 1], np.float32))
    other.add(np.asarray([7], np.float32))
    histogram.merge(other)

    assert (-5.0, 7.0, 3, 0) == (
        histogram.low,
        histogram.high,
        histogram.total,
        histogram.counts.size,
    )


def test_linear_bins_span_up_to_the_largest_value():
    """Values spread evenly over [0, 3] give equal counts in bins over [0, 3]."""
    histogram = histogram_of((np.arange(3 * BINS) + 0.5) / BINS)

    bins = histogram.linear(2048)

    assert 3 * BINS == pytest.approx(bins.sum())
    assert bins == pytest.approx(np.full(2048, 3 * BINS / 2048), abs=5)


def test_linear_of_an_empty_histogram_is_empty():
    """Nothing seen: all bins are empty."""
    assert 0 == Histogram().linear(64).sum()


def test_blocks_do_not_show():
    """More values than a block are counted like a few."""
    values = np.random.default_rng(0).standard_normal((3, 100_003)).astype(np.float32)

    assert state_of(histogram_of(*values)) == state_of(histogram_of(values))


def test_a_negative_zero_is_a_zero():
    """Which of 0 and -0 came first does not show."""
    assert "0.0 0.0" == f"{histogram_of([-0.0]).low} {histogram_of([0.0], [-0.0]).low}"
