"""Pictures copied by one thread and made ready by another are what the CPU makes, bit for bit."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.data.on_gpu.test_kernel import frame
from tests.helpers.emulated_cuda import HostWork
from trtbuild.core.errors import StepInputError
from trtbuild.data.on_gpu.pictures import GpuPictures
from trtbuild.data.preprocess import Preprocess

HOW = Preprocess(resize=32, fit="letterbox", resize_like="opencv")


def read(array):
    raw = (ctypes.c_ubyte * array.nbytes).from_address(array.address)
    return np.frombuffer(raw, array.dtype).reshape(array.shape)


@pytest.fixture
def work(kernels):
    return HostWork(kernels[3])


def test_a_batch_of_several_sizes_is_what_the_cpu_makes(work):
    """Parts of pictures among them; of large ones those rows alone are copied that are taken."""
    pictures = GpuPictures(HOW, work)
    given = [frame(50, 60), frame(20, 90)[:, 10:70], frame(300, 90)[:, 10:70], frame(400, 64)]
    assert [False, False, True, True] == [pictures.copy(each).frame.thinned for each in given]
    for batch in (given, given[:1]):
        made = pictures.make_ready([pictures.copy(each) for each in batch])

        assert (len(batch), 3, 32, 32) == made.shape
        assert np.array_equal(read(made), [HOW.apply(each, "it") for each in batch])
    assert [True, False, False, False, False] == [
        pictures.takes(each)
        for each in (
            given[0],
            given[0][..., 0],
            given[0].astype(float),
            given[0][..., :2],
            given[0][:0],
        )
    ]


def test_memory_is_used_anew_and_given_back(work):
    """Also that of pictures which nobody makes ready: a queue may drop them."""
    pictures, held = GpuPictures(HOW, work), []
    for _ in range(12):
        pictures.copy(frame(50, 60))
        pictures.make_ready([pictures.copy(frame(40, 60)), pictures.copy(frame(50, 60))])
        held.append(len(work.held))

    assert held[-1] == held[8]  # tables of batches have eight places
    pictures.close()
    assert {} == work.held


def test_where_memory_ends_it_is_said(work):
    """Before anything is run."""
    pictures = GpuPictures(HOW, work)
    work.most_bytes = 100
    with pytest.raises(StepInputError, match="not enough memory"):
        pictures.copy(frame(50, 60))
