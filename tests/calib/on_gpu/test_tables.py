"""Tables for the kernels: who reads what, and what is made of what they remember."""

from __future__ import annotations

import math

import numpy as np

from trtbuild.calib.histogram import Histogram
from trtbuild.calib.on_gpu.kernels import CHUNK
from trtbuild.calib.on_gpu.tables import (
    decode_extremes,
    fill_histogram,
    find_not_finite,
    list_parts,
    start_states,
)


def test_each_block_reads_one_chunk_of_one_tensor():
    """An empty tensor has no block."""
    parts, blocks = list_parts([5, 2 * CHUNK + 1, 0, CHUNK])

    assert [1, 3, 0, 1] == blocks
    assert [(0, 0), (1, 0), (1, 1), (1, 2), (3, 0)] == parts.tolist()
    assert (0, []) == (len(list_parts([])[0]), list_parts([])[1])


def test_what_was_never_seen_is_finite_and_adds_nothing():
    """Of an empty tensor."""
    states = start_states(2)
    histogram = Histogram()
    fill_histogram(histogram, states[0], np.zeros(1 << 14, np.uint64), 0)

    assert [False, False] == find_not_finite(states).tolist()
    assert (0, math.inf) == (histogram.total, histogram.low)


def test_extremes_are_decoded_from_their_order():
    """Whole numbers that are ordered as the floats are."""
    states = start_states(2)
    states["low"] = [0x3FFFFFFF, 0x80000000]  # -2 and 0
    states["high"] = [0xBF800000, 0xC0000000]  # 1 and 2

    low, high = decode_extremes(states)

    assert ([-2, 0], [1, 2]) == (low.tolist(), high.tolist())
