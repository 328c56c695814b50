"""Runs of several samples: how many."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.on_gpu.groups import are_alike, choose_batch

GIB = 1 << 30


@pytest.mark.parametrize(
    ("sample", "free", "batch"),
    [
        (1000, 100 * GIB, 32),
        (GIB // 4, 100 * GIB, 3),
        (GIB, GIB, 1),
        (GIB // 8, 3 * GIB, 4),
        (0, 0, 1),
    ],
)
def test_a_batch_is_what_memory_allows(sample, free, batch):
    """A sixth of what is free, and never more than 960 MiB; one sample is always tried."""
    assert batch == choose_batch(sample, free)


def test_extremes_are_alike_but_for_roundings():
    """Of the larger of the two: a thousandth."""
    low, high = np.float32([-1000, 0]), np.float32([1, 0])

    assert are_alike((low, high), (low - np.float32([0.9, 0]), high + np.float32([0.9, 0])))
    assert not are_alike((low, high), (low, high + np.float32([0, 1e-3])))
