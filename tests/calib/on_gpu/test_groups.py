"""Runs of several samples: how many, which, and where their arrays lie."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.emulated_cuda import HostWork
from trtbuild.calib.on_gpu.groups import Room, choose_batch
from trtbuild.model.cuda_work import OutOfGpuMemory
from trtbuild.model.feeds import Feed

GIB = 1 << 30


@pytest.mark.parametrize(
    ("sample", "free", "batch"),
    [
        (1000, 100 * GIB, 32),
        (GIB // 2, 100 * GIB, 2),
        (GIB, GIB, 1),
        (GIB // 8, 3 * GIB, 4),
        (0, 0, 1),
    ],
)
def test_a_batch_is_what_memory_allows(sample, free, batch):
    """A sixth of what is free, and never more than 1 GiB; one sample is always tried."""
    assert batch == choose_batch(sample, free)


def feed(name, *shape, dtype=np.float32):
    return Feed((name,), {"x": np.full(shape, ord(name), dtype)})


def test_arrays_are_stacked_by_the_axis_that_counts_samples():
    """In memory that stays where it is for runs that are no larger."""
    work = HostWork({})
    room = Room(work)
    feeds = [feed("a", 2, 1), feed("b", 2, 1)]
    for given, expected in ((feeds, [[97, 98]] * 2), (feeds[1:], [[98]] * 2)):
        room.prepare(given, {"x": 1})
        room.fill(given, {"x": 1})
        address = room.upload()["x"]

        assert expected == room.arrays["x"].tolist()
        assert [address] == list(work.held)
    assert room.arrays["x"].ctypes.data


def test_more_than_there_is_is_told():
    """Whoever asks takes less."""
    with pytest.raises(OutOfGpuMemory):
        Room(HostWork({}, most_bytes=10)).prepare([feed("a", 1, 4)], {})
