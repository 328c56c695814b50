"""The kernels' own source, compiled for the CPU: what it counts is what a histogram counts."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.histogram import Histogram
from trtbuild.calib.on_gpu.kernels import CHUNK, COUNT, EXTREMES
from trtbuild.calib.on_gpu.tables import (
    STATE,
    TENSOR,
    ObservedTensor,
    fill_histogram,
    list_parts,
    start_states,
)

BINS = 1 << 14


class Reduced:
    """What the kernels make of runs, each an array a tensor."""

    def __init__(self, kernels, counted):
        self.kernels = kernels
        self.states = start_states(len(counted))
        self.counted = counted
        self.counts = np.zeros((max(1, sum(counted)), BINS), np.uint64)
        self.totals = [0] * len(counted)

    def run(self, *arrays):
        rows = np.cumsum(self.counted) - 1
        made = [np.ascontiguousarray(each) for each in arrays]
        observed = [
            ObservedTensor(each.ctypes.data, each.size, each.dtype == np.float16) for each in made
        ]
        parts, blocks = list_parts([each.size for each in observed])
        tensors = np.zeros(len(made), TENSOR)
        for place, (each, count) in enumerate(zip(observed, blocks, strict=True)):
            row = int(rows[place]) if self.counted[place] else -1
            tensors[place] = (each.address, each.size, each.half, row, count, 0)
            self.totals[place] += each.size
        given = [each.ctypes.data for each in (parts, tensors, self.states, self.counts)]
        for name in (EXTREMES, COUNT):
            self.kernels[name]((len(parts),), *given)

    def histograms(self):
        rows = iter(self.counts)
        found = []
        for state, total, counted in zip(self.states, self.totals, self.counted, strict=True):
            one = Histogram(counted=counted)
            fill_histogram(one, state, next(rows) if counted else None, total)
            found.append(one)
        return found


def counted_by_cpu(*runs, counted=True):
    made = Histogram(counted=counted)
    for each in runs:
        made.add(each.astype(np.float32))
    return made


def same(one, other):
    fields = ("low", "high", "total", "exponent")
    assert [getattr(one, name) for name in fields] == [getattr(other, name) for name in fields]
    assert one.counts.tolist() == other.counts.tolist()


RNG = np.random.default_rng(3)
EDGES = np.array(
    [0, -0.0, 1e-45, -1e-40, 2**-97, 2**-96, 1, np.nextafter(np.float32(1), np.float32(0)), -2,
     3.4e38, -3.4e38, 2**127, 1 / 3, 1 - 2**-14, 2**-14, 2**-13],
    np.float32,
)  # fmt: skip
CASES = {
    "one value": np.array([0.3], np.float32),
    "nothing but zeros": np.zeros(1000, np.float32),
    "a normal distribution": RNG.normal(0, 3, (7, 1001)).astype(np.float32),
    "what a ReLU makes": np.maximum(RNG.normal(0, 1, 5000), 0).astype(np.float32),
    "edges of bins, and of the format": EDGES,
    "subnormals alone": np.array([1e-45, -3e-45, 1e-39], np.float32),
    "negative values alone": -RNG.random(999, np.float32) - 5,
    "more than a block reads": RNG.normal(0, 1e-3, CHUNK + 77).astype(np.float32),
}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())
def test_counts_equal_the_cpu_s_bit_for_bit(kernels, values):
    """Least and largest value, exponent and all counts."""
    reduced = Reduced(kernels, [True])
    reduced.run(values)

    same(counted_by_cpu(values), reduced.histograms()[0])


def test_a_span_that_grows_merges_what_was_counted(kernels):
    """By one octave, by many at once, and not at all."""
    runs = [RNG.normal(0, 10.0**power, 4000).astype(np.float32) for power in (-3, -3, -2, 4, 0)]
    reduced = Reduced(kernels, [True])
    for each in runs:
        reduced.run(each)

    same(counted_by_cpu(*runs), reduced.histograms()[0])


def test_all_tensors_go_in_one_launch(kernels):
    """Of several sizes and types; of some the extremes alone."""
    arrays = [
        RNG.normal(0, 1, 3000).astype(np.float32),
        RNG.normal(0, 1, (5, 5)).astype(np.float16),
        np.full(1, -7, np.float32),
        RNG.normal(0, 1, CHUNK * 2 + 5).astype(np.float16),
        np.array([6e-8, -6e-8, 65504, 1e-5, 0], np.float16),
    ]
    counted = [True, True, False, False, True]
    reduced = Reduced(kernels, counted)
    for _ in range(2):
        reduced.run(*arrays)

    for values, kept, found in zip(arrays, counted, reduced.histograms(), strict=True):
        same(counted_by_cpu(values, values, counted=kept), found)


def test_values_that_begin_anywhere_are_read_one_by_one(kernels):
    """A vector is loaded from multiples of 16 bytes alone."""
    whole = RNG.normal(0, 1, 1003).astype(np.float32)
    for values in (whole[1:], whole.astype(np.float16)[3:]):
        reduced = Reduced(kernels, [True])
        reduced.run(values)

        same(counted_by_cpu(values), reduced.histograms()[0])


@pytest.mark.parametrize("odd", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_what_is_not_finite_shows_in_the_extremes(kernels, odd, dtype):
    """A NaN of either sign lies beyond the infinities."""
    values = np.array([1, odd, -2], dtype)
    if np.isnan(odd):
        values[1] = np.copysign(dtype(np.nan), dtype(odd))
    reduced = Reduced(kernels, [True])
    reduced.run(np.ones(3, dtype))
    assert not np.asarray([not_finite(state) for state in reduced.states]).any()
    reduced.run(values)

    assert not_finite(reduced.states[0])


def not_finite(state):
    from trtbuild.calib.on_gpu.tables import find_not_finite

    return bool(find_not_finite(np.array([state], STATE))[0])
