from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from trtbuild.calib.count import BINS, BLOCK, count_block, merge_bins


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("size", [1, 100, BLOCK])
def test_counts_as_numpy_counts(signed, size):
    """Zeros, spread over lanes while counting, end in the first bin with the small values."""
    values = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    values = values if signed else np.maximum(values, 0)
    expected = np.bincount((np.abs(values) * (BINS / 8)).astype(int), minlength=BINS)

    found = count_block(values, 3, signed=signed)

    assert np.trim_zeros(expected, "b").tolist() == np.trim_zeros(found, "b").tolist()


def test_threads_do_not_count_each_others_values():
    """Each has room of its own."""
    ends = [np.full(BLOCK, value, np.float32) for value in (0.1, 0.9)]
    wanted = [[int(value[0] * BINS)] for value in ends]

    def count(values):
        return [
            found
            for _ in range(50)
            for found in np.flatnonzero(count_block(values, 0, signed=False)).tolist()
        ]

    with ThreadPoolExecutor(2) as threads:
        found = [sorted(set(each)) for each in threads.map(count, ends)]

    assert wanted == found


def test_the_first_and_the_last_bin():
    """0 and what is nearly 2^exponent."""
    counts = count_block(np.float32([0, 0, 1 - 2**-20]), 0, signed=False)

    assert (2, 1, 3) == (counts[0], counts[-1], counts.sum())


@pytest.mark.parametrize(("octaves", "expected"), [(0, [1, 2, 3, 4]), (1, [3, 7]), (2, [10])])
def test_coarser_bins_merge_neighbours(octaves, expected):
    """Each octave halves the number of filled bins."""
    counts = np.zeros(BINS, np.int64)
    counts[:4] = [1, 2, 3, 4]

    assert expected == np.trim_zeros(merge_bins(counts, octaves), "b").tolist()


def test_far_coarser_is_one_bin():
    """More octaves than bins put everything into the first."""
    assert BINS == merge_bins(np.ones(BINS, np.int64), 200)[0]
