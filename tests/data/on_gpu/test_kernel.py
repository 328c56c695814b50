"""The kernel's own source, compiled for the CPU: what it makes of frames is what the CPU makes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.emulated_cuda import HostWork
from trtbuild.core.errors import StepInputError
from trtbuild.data.on_gpu.frames import FrameKernel, FrameOnGpu
from trtbuild.data.preprocess import Preprocess

RNG = np.random.default_rng(5)
DTYPES = {"float32": np.uint32, "float16": np.uint16, "uint8": np.uint8}


def frame(height, width, channels=3):
    made = RNG.integers(0, 256, (height, width, channels), np.uint8)
    return made if channels > 1 else made[..., 0]


def prepare(kernels, how, frames, *, bgr=False):
    """What the kernel makes of a batch, as bits."""
    kernel = FrameKernel(how, HostWork(kernels[how.channels]), bgr=bgr)
    on_gpu = [
        FrameOnGpu(each.ctypes.data, *each.shape[:2], each.shape[2] if each.ndim == 3 else 1,
                   each.strides[0])
        for each in frames
    ]  # fmt: skip
    out = np.zeros(kernel.find_shape(on_gpu), DTYPES[how.dtype])
    kernel.run(on_gpu, out.ctypes.data)
    return out


def same(kernels, how, *frames):
    expected = [how.apply(each, "frame") for each in frames]
    found = prepare(kernels, how, frames)
    for mine, its in zip(found, expected, strict=True):
        assert its.shape == mine.shape
        assert np.array_equal(its.view(DTYPES[how.dtype]), mine)


RULES = [
    *(("pillow", each, None) for each in ("nearest", "bilinear", "bicubic", "lanczos")),
    *(("opencv", each, None) for each in ("nearest", "bilinear", "bicubic", "area")),
    *(("torchvision", e, a) for e in ("nearest", "bilinear", "bicubic") for a in (None, False)),
]


@pytest.mark.parametrize(("like", "interpolation", "antialias"), RULES)
def test_a_batch_of_several_sizes_equals_the_cpu_s_bit_for_bit(
    kernels, like, interpolation, antialias
):
    """Shrunk and blown up, along one axis or both; tiles at all edges."""
    how = Preprocess(
        resize=(37, 41), resize_like=like, interpolation=interpolation, antialias=antialias,
        mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225),
    )  # fmt: skip

    same(kernels, how, frame(90, 130), frame(20, 300), frame(37, 41), frame(120, 30), frame(5, 7))


@pytest.mark.parametrize(
    "options",
    [
        {"resize": 40, "fit": "letterbox", "resize_like": "opencv"},
        {"resize": (33, 65), "fit": "letterbox", "align": "corner", "pad": 0},
        {"resize": 30, "fit": "shortest", "crop": (24, 28)},
        {"resize": (40, 40), "fit": "letterbox", "crop": (25, 31), "color": "bgr"},
        {"resize": (20, 20), "color": "gray", "mean": (0.5,), "std": (0.2,)},
        {
            "resize": (20, 33),
            "layout": "hwc",
            "dtype": "float16",
            "color": "bgr",
            "mean": (1, 2, 3),
        },
        {"resize": (9, 9), "dtype": "uint8", "scale": 1, "color": "bgr"},
        {"resize": (16, 16), "scale": 0.017, "mean": (2,), "layout": "hwc"},
    ],
)
def test_all_that_a_recipe_may_say_is_done(kernels, options):
    """Letterbox, crop, colour, scale, layout and type."""
    how = Preprocess(**options)

    same(kernels, how, frame(50, 80), frame(80, 50), frame(60, 60, 4), frame(44, 71, 1))


def test_pixels_are_taken_as_they_are_without_a_size(kernels):
    """Frames then have one size already; several are refused."""
    same(kernels, Preprocess(), frame(12, 50), frame(12, 50))
    same(kernels, Preprocess(crop=(10, 9)), frame(12, 50), frame(40, 10))
    for how, told in ((Preprocess(), "several sizes"), (Preprocess(crop=(20, 9)), "smaller than")):
        with pytest.raises(StepInputError, match=told):
            prepare(kernels, how, [frame(12, 50), frame(13, 50)])


def test_frames_of_opencv_and_parts_of_frames_are_taken_as_they_lie(kernels):
    """BGR, and rows that do not follow each other closely."""
    whole = frame(60, 90)
    part = whole[5:50, 10:70]
    how = Preprocess(resize=(30, 30), fit="letterbox")
    expected = how.apply(np.ascontiguousarray(part), "part")

    assert np.array_equal(expected.view(np.uint32), prepare(kernels, how, [part])[0])
    turned = np.ascontiguousarray(part[..., ::-1])
    assert np.array_equal(expected.view(np.uint32), prepare(kernels, how, [turned], bgr=True)[0])


def test_what_is_no_picture_is_refused(kernels):
    """Two channels are none."""
    with pytest.raises(StepInputError, match="with 2 channels"):
        prepare(kernels, Preprocess(), [frame(5, 5, 2)])


def test_what_shrinks_beyond_shared_memory_is_refused(kernels):
    """With what to do."""
    with pytest.raises(StepInputError, match="shrunk too much"):
        prepare(kernels, Preprocess(resize=(8, 32), resize_like="torchvision"), [frame(4000, 64)])
