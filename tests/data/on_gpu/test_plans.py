"""What the kernels are told: what bytes become, what a tile needs, what is read directly."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.data.on_gpu.plans import _count_slots, make_params, make_table, plan_size
from trtbuild.data.preprocess import Preprocess


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("layout", ["chw", "hwc"])
def test_a_byte_becomes_what_the_cpu_makes_of_it(dtype, layout):
    """In each channel of the model, in its own bits."""
    how = Preprocess(mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), dtype=dtype, layout=layout)
    table = make_table(how)
    expected = [(np.float32(200) / np.float32(255) - m) / s for m, s in ((0.5, 0.2), (0.3, 0.4))]
    bits = np.uint32 if dtype == "float32" else np.uint16

    assert (3, 256) == table.shape
    found = table[[0, 2], 200].astype(bits).view(dtype)
    np.testing.assert_allclose(found, expected, rtol=1e-3 if dtype == "float16" else 1e-6)


def test_a_tile_needs_what_its_pixels_read():
    """Each source once, or one by one where they lie far apart; nothing beyond the picture."""
    near = np.stack([np.arange(10), np.arange(1, 11)], axis=1)
    far = near * 20

    assert 5 == _count_slots(near, 0, 10, 4)
    assert 8 == _count_slots(far, 0, 10, 4)
    assert 3 == _count_slots(near, -8, 10, 4)


@pytest.mark.parametrize(
    ("options", "direct"),
    [
        ({"resize_like": "opencv"}, True),
        ({"resize_like": "opencv", "interpolation": "bicubic"}, False),
        ({"resize_like": "torchvision"}, False),
        ({}, False),
    ],
)
def test_frames_of_which_a_pixel_takes_two_are_read_directly(options, direct):
    """And the others weighed along one axis after the other."""
    planned = plan_size(Preprocess(resize=(20, 30), **options), (200, 100))

    assert direct == planned.direct
    assert (30, 20) == planned.view.resized


def test_what_is_told_of_a_frame_and_of_its_batch():
    """Where it lies in the letterbox, and how far pixels, rows and channels lie apart."""
    how = Preprocess(resize=40, fit="letterbox", resize_like="opencv", color="bgr", pad=7)
    row = plan_size(how, (80, 40)).make_row(3, columns=5, rows=6)[0]
    params = make_params(how, (2, 3, 40, 40), bgr=False)[0]

    assert (40, 20, 0, -10) == tuple(row[["width", "height", "left", "top"]])
    assert (5, 6, 2, 2) == tuple(row[["columns", "rows", "column_taps", "row_taps"]])
    steps = ["channel_step", "row_step", "pixel_step", "frame_step"]
    assert (1600, 40, 1, 4800) == tuple(params[steps])
    assert (7, 0, 1) == tuple(params[["pad", "bgr_frames", "bgr_model"]])
