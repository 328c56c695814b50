"""Resizing against what OpenCV and PyTorch make of the same pixels."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.data.resampling import resize_as_opencv, resize_as_torchvision

PICTURE = (np.arange(35).reshape(5, 7) ** 2 * 7 % 256).astype(np.uint8)[..., None]
OPENCV = {
    "nearest": [[0, 7, 63, 175], [87, 192, 188, 240], [15, 60, 192, 124]],
    "bilinear": [[44, 45, 101, 212], [72, 29, 221, 234], [121, 139, 20, 180]],
    "bicubic": [[46, 43, 88, 217], [75, 21, 223, 234], [122, 144, 0, 189]],
    "area": [[55, 66, 117, 209], [75, 92, 178, 216], [118, 140, 64, 181]],
}
"""What cv2.resize (5.0.0) makes of the picture in 4x3."""
WIDER = [
    [52, 99, 86, 57, 138, 99, 162, 209, 196],
    [30, 48, 72, 110, 200, 82, 109, 171, 239],
]
"""In 9x2, with INTER_AREA: wider and lower."""


@pytest.mark.parametrize("interpolation", OPENCV)
def test_bytes_come_out_as_from_opencv(interpolation):
    """To the last one; of bicubic, OpenCV itself rounds otherwise from processor to processor."""
    found = resize_as_opencv(PICTURE, (4, 3), interpolation)[..., 0]

    assert np.uint8 == found.dtype
    slack = 1 if interpolation == "bicubic" else 0
    assert np.abs(found.astype(int) - OPENCV[interpolation]).max() <= slack


def test_area_grows_pictures_as_opencv_does():
    """Where nothing is to be averaged over it interpolates, from other places than bilinear."""
    assert WIDER == resize_as_opencv(PICTURE, (9, 2), "area")[..., 0].tolist()


def test_area_of_four_pixels_rounds_up():
    """Half of a picture of 6x4, as cv2.resize has it."""
    found = resize_as_opencv(PICTURE[:4, :6], (3, 2), "area")[..., 0]

    assert [[72, 84, 152], [52, 136, 148]] == found.tolist()


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(20, 31), (90, 70), (11, 80)], ids=str)
def test_floats_come_out_as_from_pytorch(interpolation, antialias, size):
    """Smaller, larger, and one of each: to float32's rounding."""
    torch = pytest.importorskip("torch")
    array = np.random.default_rng(0).uniform(0, 255, (37, 53, 3)).astype(np.float32)
    wanted = torch.nn.functional.interpolate(
        torch.from_numpy(array).permute(2, 0, 1)[None],
        size[::-1],
        mode=interpolation,
        align_corners=False,
        antialias=antialias,
    )

    found = resize_as_torchvision(array, size, interpolation, antialias=antialias)

    np.testing.assert_allclose(found, wanted[0].permute(1, 2, 0).numpy(), rtol=0, atol=5e-3)


def test_bytes_are_rounded_once():
    """Two pixels of 0 and 1 make one of 0.5, which is rounded to the even 0."""
    pixels = np.array([[[0], [1]]], np.uint8)

    assert [[[0]]] == resize_as_torchvision(pixels, (1, 1), "bilinear", antialias=True).tolist()
