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

PYTORCH = {
    ("bilinear", False): [
        [
            [43.87, 45.46, 101.46, 211.88],
            [72.12, 28.88, 221.38, 233.62],
            [121.04, 139.62, 20.63, 180.04],
        ],
        [
            [1.4, 19.6, 63.0, 137.2, 236.6],
            [62.31, 71.14, 134.43, 140.74, 201.51],
            [100.4, 82.89, 200.29, 165.63, 192.74],
            [81.4, 15.6, 231.0, 221.2, 236.6],
            [40.4, 72.6, 203.14, 108.49, 221.89],
            [73.97, 138.34, 140.14, 70.34, 193.97],
            [140.6, 195.6, 71.0, 79.6, 164.6],
        ],
    ],
    ("bilinear", True): [
        [
            [58.39, 70.47, 124.1, 202.72],
            [73.77, 95.22, 175.88, 210.83],
            [117.03, 141.56, 72.9, 172.33],
        ],
        [
            [2.33, 18.67, 65.55, 140.0, 226.33],
            [70.71, 74.22, 110.38, 146.03, 203.29],
            [108.38, 87.73, 156.29, 170.78, 199.81],
            [74.33, 17.33, 187.0, 221.33, 234.33],
            [42.67, 71.22, 159.14, 111.73, 210.29],
            [85.57, 138.73, 116.09, 76.7, 187.67],
            [159.67, 200.0, 73.55, 88.44, 170.33],
        ],
    ],
    ("bicubic", False): [
        [
            [46.17, 43.48, 87.68, 217.13],
            [75.47, 21.45, 223.3, 234.07],
            [122.45, 144.35, -5.06, 189.13],
        ]
    ],
    ("bicubic", True): [
        [
            [58.15, 67.19, 123.63, 209.05],
            [67.98, 95.92, 184.88, 212.59],
            [115.66, 146.06, 62.95, 177.37],
        ]
    ],
}
"""What torch.nn.functional.interpolate (2.13) makes of the picture's floats, by `antialias`."""


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


@pytest.mark.parametrize(("interpolation", "antialias"), PYTORCH)
def test_floats_come_out_as_from_pytorch(interpolation, antialias):
    """Smaller both ways, and narrower but higher."""
    for wanted in PYTORCH[interpolation, antialias]:
        size = (len(wanted[0]), len(wanted))
        array = PICTURE.astype(np.float32)

        found = resize_as_torchvision(array, size, interpolation, antialias=antialias)

        np.testing.assert_allclose(found[..., 0], wanted, rtol=0, atol=6e-3)


def test_bytes_are_rounded_once():
    """Two pixels of 0 and 1 make one of 0.5, which is rounded to the even 0."""
    pixels = np.array([[[0], [1]]], np.uint8)

    assert [[[0]]] == resize_as_torchvision(pixels, (1, 1), "bilinear", antialias=True).tolist()
