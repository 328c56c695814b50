"""Pictures that are left for a GPU come to what the CPU makes of them, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.on_gpu.test_kernel import frame
from tests.helpers.emulated_cuda import HostWork
from trtbuild.data.on_gpu.finishing import PictureFinishing
from trtbuild.data.preprocess import Preprocess

HOW = Preprocess(
    resize=40, crop=(24, 28), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), color="bgr"
)


@pytest.mark.parametrize(
    ("how", "resized"),
    [
        (HOW, False),
        (HOW, True),
        (Preprocess(resize=(20, 30), color="gray", dtype="float16"), True),
        (Preprocess(resize=32, fit="letterbox", layout="hwc"), False),
    ],
)
def test_what_is_left_is_what_would_have_been_made(kernels, how, resized):
    """Of whole pictures, or of pixels as the model sees them, which are stored."""
    pictures = [frame(50, 60), frame(50, 60)]
    expected = np.stack([how.apply(each, "it") for each in pictures])
    seen = [how.shape_pixels(each, "it") for each in pictures] if resized else pictures
    given = [np.ascontiguousarray(each) for each in seen]
    finishing = PictureFinishing(how, resized=resized)
    lefts = [finishing.leave(each) for each in given]
    out = np.zeros_like(expected)
    work = HostWork(kernels[how.channels])
    make = finishing.open(work)
    make([(each.pixels.ctypes.data, each.pixels.shape) for each in lefts], out.ctypes.data)

    assert expected.shape[1:] == lefts[0].shape
    assert expected.dtype == lefts[0].dtype
    assert expected.tobytes() == out.tobytes()
    assert expected[0].tobytes() == np.asarray(lefts[0]).tobytes()
    assert finishing.open(work) is make
    assert finishing.open(HostWork(kernels[how.channels])) is not make
