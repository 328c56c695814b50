"""Runs of several samples: how many."""

from __future__ import annotations

import pytest

from trtbuild.calib.on_gpu.groups import choose_batch

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
