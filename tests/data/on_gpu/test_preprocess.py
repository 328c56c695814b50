"""Frames by DLPack: what is read of them, without a GPU."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.data.on_gpu.frames import FrameOnGpu
from trtbuild.data.on_gpu.preprocess import _demand_gpu, _demand_room, _read_frame, find_stream


def view(shape, dtype="uint8", strides=None, *, on_gpu=True):
    return SimpleNamespace(
        ptr=64, shape=shape, dtype=np.dtype(dtype), strides=strides, is_device_accessible=on_gpu
    )


def test_a_frame_may_be_part_of_another():
    """Its rows lie apart then; gray ones have no channels."""
    assert FrameOnGpu(64, 4, 5, 3, 15) == _read_frame(view((4, 5, 3)))
    assert FrameOnGpu(64, 4, 5, 3, 60) == _read_frame(view((4, 5, 3), strides=(60, 3, 1)))
    assert FrameOnGpu(64, 4, 5, 1, 8) == _read_frame(view((4, 5), strides=(8, 1)))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (view((4, 5, 3), "float32"), r"float32 \[4, 5, 3\], on the GPU"),
        (view((1, 4, 5, 3)), "1, 4, 5, 3"),
        (view((4, 5, 3), on_gpu=False), "in main memory"),
        (view((4, 5, 3), strides=(60, 6, 2)), "do not lie one behind the other"),
        (view((4, 5, 3), strides=(1, 4, 20)), "do not lie one behind the other"),
    ],
)
def test_what_is_no_such_frame_is_refused(given, told):
    """With what would do."""
    with pytest.raises(StepInputError, match=told):
        _read_frame(given)


def test_arrays_in_main_memory_are_refused_before_anything_is_asked_of_them():
    """NumPy has DLPack, too."""
    with pytest.raises(StepInputError, match="ndarray lies in main memory"):
        _demand_gpu(np.zeros((4, 5, 3), np.uint8))
    _demand_gpu(SimpleNamespace(__dlpack_device__=lambda: (2, 0)))


def test_room_for_the_result_must_fit():
    """In shape, type, and in one piece."""
    shape, dtype = (2, 3, 4, 5), np.dtype("float32")
    _demand_room(view(shape, "float32"), shape, dtype)
    _demand_room(view(shape, "float32", (60, 20, 5, 1)), shape, dtype)
    for wrong in (
        view((1, 3, 4, 5), "float32"),
        view(shape, "float16"),
        view(shape, "float32", (60, 1, 15, 3)),
    ):
        with pytest.raises(StepInputError, match="`out` is"):
            _demand_room(wrong, shape, dtype)


def test_a_stream_is_a_handle_however_it_is_given():
    """PyTorch's, CuPy's, cuda-core's, or a number."""
    given = [
        None, 5, SimpleNamespace(cuda_stream=5), SimpleNamespace(ptr=5), SimpleNamespace(handle=5),
        SimpleNamespace(__cuda_stream__=lambda: (0, 5)),
    ]  # fmt: skip

    assert [None, 5, 5, 5, 5, 5] == [find_stream(each) for each in given]
    with pytest.raises(StepInputError, match="str is no CUDA stream"):
        find_stream("default")
