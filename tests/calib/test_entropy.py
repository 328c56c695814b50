from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from trtbuild.calib.entropy import Entropy, Entropy2, compute_divergences
from trtbuild.calib.histogram import Histogram


def histogram_of(values):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return histogram


def limit(values):
    return Entropy2(kind="entropy2").limit(histogram_of(values))


def limit_of_entropy(values):
    return Entropy(kind="entropy").limit(histogram_of(values))


def reference_divergences(bins, levels):
    """NVIDIA's loops (pytorch-quantization, calib/histogram.py), one cut and one bin at a time."""
    result = []
    for cut in range(levels, len(bins) + 1):
        group = np.digitize(range(cut), np.linspace(0, cut, levels + 1)) - 1
        group[bins[:cut] == 0] = -1
        sums = np.zeros(levels)
        for index, place in enumerate(group):
            if place != -1:
                sums[place] += bins[index]
        for place, members in Counter(group.tolist()).items():
            if place != -1:
                sums[place] /= members
        candidate = np.array([sums[place] if place != -1 else 0.0 for place in group])
        reference = bins[:cut].copy()
        reference[-1] += bins[cut:].sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            p, q = reference / reference.sum(), candidate / candidate.sum()
            terms = np.where(p > 0, p * np.log(p / q), 0)
        result.append(terms.sum())
    return np.array(result)


@pytest.mark.parametrize("zeros", [0.0, 0.7])
def test_equals_the_published_reference(zeros):
    """The sums by groups give the divergences that NVIDIA's loops give."""
    rng = np.random.default_rng(1)
    bins = rng.poisson(200 * np.exp(-np.arange(300) / 60)).astype(float)
    bins[rng.random(300) < zeros] = 0
    bins[-1] = 1

    expected = reference_divergences(bins, 32)

    assert np.isfinite(expected).tolist() == np.isfinite(compute_divergences(bins, 32)).tolist()
    finite = np.isfinite(expected)
    assert expected[finite] == pytest.approx(compute_divergences(bins, 32)[finite], abs=1e-9)


def test_a_uniform_distribution_is_not_clipped():
    """Where every value is as frequent as any other, clipping only loses."""
    assert 5.0 == pytest.approx(limit(np.linspace(-5, 5, 1 << 20)))


def test_a_lone_outlier_beyond_a_gap_is_kept():
    """As in the reference, no cut is made at an empty bin."""
    values = np.append(np.random.default_rng(0).standard_normal(1 << 20), 200)

    assert 200.0 == limit(values)


def test_a_heavy_tail_is_clipped():
    """Of Student's t with two degrees of freedom, the far tail is given up."""
    values = np.random.default_rng(0).standard_t(2, 1 << 20)

    assert limit(values) < np.abs(values).max() / 4


def test_the_spike_at_zero_does_not_weigh():
    """Zeros from a ReLU, however many, leave the limit where it was."""
    values = np.abs(np.random.default_rng(0).standard_normal(1 << 18))
    with_zeros = np.append(values, np.zeros(3 << 18))

    assert limit(values) == pytest.approx(limit(with_zeros), rel=0.02)


@pytest.mark.parametrize("find", [limit, limit_of_entropy])
def test_few_distinct_values_are_kept(find):
    """Of the 17 shades of an input, none is clipped: cutting at the first diverges as little."""
    shades = np.random.default_rng(0).integers(0, 17, 10_000) / 16

    assert 1.0 == find(shades)


@pytest.mark.parametrize("find", [limit, limit_of_entropy])
@pytest.mark.parametrize("low", [0.1, 0.5, 0.9])
def test_values_that_keep_away_from_zero_are_not_all_clipped(find, low):
    """A cut at the smallest value diverges by 0, and would fold all the others into it."""
    values = np.random.default_rng(0).uniform(low, 1.0, 1 << 18)

    assert 1.0 == pytest.approx(find(values), rel=0.01)


def test_a_spike_away_from_zero_does_not_swallow_the_rest():
    """A clamped tensor, most of it at its lower bound, keeps what lies above."""
    values = np.clip(np.random.default_rng(0).standard_normal(1 << 18) / 4, 0.2, None)

    assert limit(values) > 0.8


@pytest.mark.parametrize("find", [limit, limit_of_entropy])
def test_little_data_is_not_clipped(find):
    """Of fewer than a hundred values, each is more than the share that a cut may give up."""
    values = np.random.default_rng(3).uniform(0, 1, 20)

    assert np.float32(values.max()) == pytest.approx(find(values))


def test_a_constant_keeps_its_value():
    """A single value is represented exactly."""
    assert 3.0 == limit(np.full(100, 3.0))


def test_all_zero_and_nothing_have_no_range():
    """The limit of zeros, and of nothing, is 0."""
    assert 0.0 == limit(np.zeros(10))
    assert 0.0 == limit([])


def test_a_search_that_keeps_the_spike_clips_far_too_much():
    """Why the first bin is replaced: with it, a normal distribution is cut at two deviations."""
    histogram = histogram_of(np.maximum(np.random.default_rng(0).standard_normal(1 << 20), 0))
    spike = compute_divergences(histogram.linear(2048), 128)

    naive = (np.argmin(spike) + 128) / 2048 * histogram.absmax

    assert 2.0 == pytest.approx(naive, abs=0.25)
    assert Entropy2(kind="entropy2").limit(histogram) > 4


def test_entropy_is_near_entropy2_on_smooth_data():
    """Both search the same divergences; they differ at the ends."""
    values = np.random.default_rng(0).laplace(size=1 << 20)

    assert limit(values) == pytest.approx(limit_of_entropy(values), rel=0.02)


def test_entropy_leaves_the_spike_out():
    """Zeros from a ReLU, however many, leave the limit where it was."""
    values = np.abs(np.random.default_rng(0).standard_normal(1 << 18))
    with_zeros = np.append(values, np.zeros(3 << 18))

    assert limit_of_entropy(values) == pytest.approx(limit_of_entropy(with_zeros), rel=0.02)


def test_entropy_of_a_constant_and_of_nothing():
    """A single value is kept whole; zeros and nothing have no range."""
    assert [3.0, 0.0, 0.0] == [limit_of_entropy(v) for v in ([3.0] * 9, [0.0] * 9, [])]


def test_a_tensor_is_searched_in_milliseconds():
    """2048 bins, 1921 cuts: no loop in Python."""
    histogram = Histogram()
    histogram.add(np.random.default_rng(0).standard_normal(1 << 16).astype(np.float32))
    entropy2 = Entropy2(kind="entropy2")

    seconds = []
    for _ in range(5):
        start = time.process_time()
        entropy2.limit(histogram)
        seconds.append(time.process_time() - start)

    assert min(seconds) < 0.1
