"""Where the arrays of a run lie: stacked, copied, and of pictures made there."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.helpers.emulated_cuda import HostWork
from trtbuild.model.cuda_work import OutOfGpuMemory
from trtbuild.model.feeds import Feed
from trtbuild.model.gpu_room import GpuRoom
from trtbuild.model.unfinished import Unfinished


def feed(name, *shape, dtype=np.float32):
    return Feed((name,), {"x": np.full(shape, ord(name), dtype)})


class Negated:
    """Makes of each byte of a picture its negative, as float32, without a GPU."""

    def on_cpu(self, pixels):
        return -pixels.astype(np.float32)

    def open(self, work):
        def make(pictures, out):
            for address, shape in pictures:
                size = int(np.prod(shape))
                read = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))
                made = -read.astype(np.float32)
                ctypes.memmove(out, made.ctypes.data, made.nbytes)
                out += made.nbytes

        return make


def left(name, height):
    pixels = np.full((height, 2, 3), ord(name), np.uint8)
    made = Unfinished(pixels, pixels.shape, "float32", Negated())
    return Feed((name,), {"x": made.stack(), "y": np.float32([[height]])})


def read(address, shape):
    size = int(np.prod(shape))
    return np.ctypeslib.as_array((ctypes.c_float * size).from_address(address)).reshape(shape)


def test_arrays_are_stacked_by_the_axis_that_counts_samples():
    """In memory that stays where it is for runs that are no larger."""
    work = HostWork({})
    room = GpuRoom(work)
    feeds = [feed("a", 2, 1), feed("b", 2, 1)]
    for given, expected in ((feeds, [[97, 98]] * 2), (feeds[1:], [[98]] * 2)):
        room.prepare(given, {"x": 1})
        room.fill(given, {"x": 1})
        address = room.upload()["x"]

        assert expected == room.arrays["x"].tolist()
        assert [address] == list(work.held)
    assert room.arrays["x"].ctypes.data


def test_pictures_are_made_ready_where_they_lie():
    """Their bytes are copied, and nothing else; other arrays come as they are."""
    work = HostWork({})
    room = GpuRoom(work)
    for heights in ((4, 4), (1,)):
        feeds = [left(name, height) for name, height in zip("ab", heights, strict=False)]
        axes = {"x": 0, "y": 0}
        room.prepare(feeds, axes)
        room.fill(feeds, axes)
        found = room.upload()
        shape = (len(feeds), heights[0], 2, 3)

        assert (shape, np.float32) == (room.arrays["x"].shape, room.arrays["x"].dtype)
        expected = np.concatenate([np.asarray(each.arrays["x"]) for each in feeds])
        assert expected.tolist() == read(found["x"], shape).tolist()
        assert list(heights) == read(found["y"], (len(heights),)).tolist()
    assert 3 == len(work.held)


def test_more_than_there_is_is_told():
    """Whoever asks takes less."""
    with pytest.raises(OutOfGpuMemory):
        GpuRoom(HostWork({}, most_bytes=10)).prepare([feed("a", 1, 4)], {})
