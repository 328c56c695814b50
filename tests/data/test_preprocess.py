"""Preprocessing against arithmetic: sizes, crops, colours, and every bit of the values."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from trtbuild.core.errors import StepInputError
from trtbuild.data.preprocess import Preprocess

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def preprocess(**options) -> Preprocess:
    return Preprocess.model_validate_json(json.dumps(options))


def gray(rows) -> Image.Image:
    return Image.fromarray(np.array(rows, np.uint8))


def test_imagenet_values_are_torchvisions():
    """(x / 255 - mean) / std, each operation rounded to float32 as ToTensor and Normalize do."""
    image = Image.new("RGB", (2, 2), (124, 0, 255))
    f = np.float32
    wanted = [
        (f(value) / f(255) - f(mean)) / f(std)
        for value, mean, std in zip((124, 0, 255), MEAN, STD, strict=True)
    ]

    array = preprocess(mean=MEAN, std=STD).apply(image, "x")

    assert ((3, 2, 2), np.dtype(np.float32)) == (array.shape, array.dtype)
    assert wanted == array[:, 1, 1].tolist()
    assert array.flags.c_contiguous


def test_pixels_become_fractions_rounded_once():
    """By default each of the 256 values is value / 255, to the nearest float32."""
    array = preprocess(color="gray").apply(gray([range(256)]), "x")

    assert [np.float32(value / 255) for value in range(256)] == array[0, 0].tolist()


def test_a_scale_that_divides_nothing_multiplies():
    """With 0.3 a pixel of 10 is float32(10) * float32(0.3)."""
    array = preprocess(color="gray", scale=0.3).apply(gray([[10]]), "x")

    assert np.float32(10) * np.float32(0.3) == array.item()


@pytest.mark.parametrize(
    ("size", "resize", "wanted"),
    [
        ((640, 480), 256, (256, 341)),  # int(256 * 640 / 480) = int(341.33)
        ((480, 640), 256, (341, 256)),
        ((500, 375), 256, (256, 341)),
        ((300, 300), 256, (256, 256)),
        ((300, 200), 256, (256, 384)),  # a small picture grows
        ((256, 256), 256, (256, 256)),
        ((640, 480), [100, 50], (100, 50)),
    ],
)
def test_the_shorter_side_decides(size, resize, wanted):
    """A number is the shorter side, the other cut to a whole pixel; a pair is height, width."""
    array = preprocess(resize=resize, color="gray").apply(Image.new("L", size), "x")

    assert wanted == array.shape[1:]


@pytest.mark.parametrize(("height", "top"), [(224, 0), (226, 1), (257, 16), (259, 18)])
def test_crops_round_half_pixels_to_even(height, top):
    """(257 - 224) / 2 = 16.5 begins at 16, (259 - 224) / 2 = 17.5 at 18, as torchvision's do."""
    rows = np.repeat(np.arange(height, dtype=np.uint16) % 256, 224).reshape(height, 224)
    options = preprocess(crop=[224, 224], color="gray", scale=1)

    assert top == options.apply(gray(rows.astype(np.uint8)), "x")[0, 0, 0]


def test_shrinking_averages():
    """Bilinear, 4 to 2: weights 0.75 0.75 0.25 over 1.75, so 0 0 100 100 becomes 14 and 86."""
    options = preprocess(resize=[1, 2], color="gray", scale=1)

    assert [14, 86] == options.apply(gray([[0, 0, 100, 100]]), "x")[0, 0].tolist()


def test_floats_are_resized_without_rounding():
    """The same weights on floats give 25 / 1.75 and 150 / 1.75."""
    row = np.array([[0, 0, 100, 100]], np.float32)
    options = preprocess(resize=[1, 2], color="gray", scale=1)

    np.testing.assert_allclose([25 / 1.75, 150 / 1.75], options.apply(row, "x")[0, 0], rtol=1e-6)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_interpolations_keep_a_plain_picture(interpolation):
    """One colour stays that colour."""
    options = preprocess(resize=5, interpolation=interpolation, color="gray", scale=1)

    assert {77.0} == set(options.apply(Image.new("L", (9, 8), 77), "x").ravel().tolist())


def test_nearest_picks_pixels():
    """No value appears that was not there."""
    options = preprocess(resize=[1, 2], interpolation="nearest", color="gray", scale=1)

    assert [1, 3] == options.apply(gray([[0, 1, 2, 3]]), "x")[0, 0].tolist()


@pytest.mark.parametrize(
    ("color", "wanted"), [("rgb", [10, 20, 30]), ("bgr", [30, 20, 10]), ("gray", [18])]
)
def test_colors(color, wanted):
    """RGB, its reverse, and 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15."""
    image = Image.new("RGB", (1, 1), (10, 20, 30))
    pixel = np.array([[[10, 20, 30]]], np.uint8)
    options = preprocess(color=color, scale=1)

    assert wanted == options.apply(image, "x").ravel().tolist()
    assert wanted == options.apply(pixel, "x").ravel().tolist()
    np.testing.assert_allclose(
        options.apply(pixel.astype(np.float64), "x").ravel(), wanted, atol=0.2
    )


def test_gray_becomes_color():
    """A gray value stands in all three channels, from uint8 and from float."""
    options = preprocess(scale=1)

    assert [9, 9, 9] == options.apply(np.array([[9]], np.uint8), "x").ravel().tolist()
    assert [9, 9, 9] == options.apply(np.array([[[9]]], np.float32), "x").ravel().tolist()


def test_layout_puts_channels_last():
    """`hwc` leaves the axes as they are in the picture."""
    array = preprocess(layout="hwc").apply(Image.new("RGB", (5, 4)), "x")

    assert (4, 5, 3) == array.shape
    assert array.flags.c_contiguous


def test_mean_and_std_follow_the_channels_of_the_color():
    """With `bgr` the first mean belongs to blue."""
    image = Image.new("RGB", (1, 1), (10, 20, 30))
    options = preprocess(color="bgr", scale=1, mean=[30, 20, 10])

    assert [0, 0, 0] == options.apply(image, "x").ravel().tolist()


def test_one_number_stands_for_all_channels():
    """mean 10 and std 2 make 14 into 2, everywhere."""
    options = preprocess(scale=1, mean=[10], std=[2])

    assert [2, 2, 2] == options.apply(Image.new("RGB", (1, 1), (14, 14, 14)), "x").ravel().tolist()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30))
def test_an_array_is_worth_a_picture(width, height, side):
    """A uint8 array gives bit for bit what the PIL image of it gives."""
    pixels = np.random.default_rng(width * 41 + height).integers(0, 256, (height, width, 3))
    pixels = pixels.astype(np.uint8)
    options = preprocess(resize=side, crop=[side, side], mean=MEAN, std=STD)

    np.testing.assert_array_equal(
        options.apply(Image.fromarray(pixels), "x"), options.apply(pixels, "x")
    )


def test_a_crop_larger_than_the_picture_is_an_error():
    """It is never padded; the message has both sizes."""
    with pytest.raises(StepInputError) as caught:
        preprocess(resize=[300, 200], crop=[224, 224]).apply(Image.new("L", (9, 9)), "cat.jpg")

    assert "cat.jpg: is 300x200 (height x width), smaller than the crop 224x224" == str(
        caught.value
    )


def test_a_strip_is_not_blown_up():
    """A shorter side of 1 pixel resized to 4000 would take gigabytes."""
    with pytest.raises(StepInputError, match=r"x: 1x9000 pixels would be resized to 4000x36000000"):
        preprocess(resize=4000).apply(Image.new("L", (1, 9000)), "x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": [1, 2]}, "`mean` has 2 numbers; write 3 (one a channel) or 1 (for all)"),
        ({"std": [1, 2, 3], "color": "gray"}, "`std` has 3 numbers; write 1"),
        ({"std": [1, 0, 1]}, "greater than 0"),
        ({"scale": 0}, "greater than 0"),
        ({"crop": [0, 3]}, "greater than 0"),
        ({"fit": "letterbox"}, "`fit: letterbox` needs `resize`"),
        ({"fit": "stretch", "resize": 3}, "a `resize` of two numbers: [height, width]"),
        ({"fit": "longest", "resize": [3, 3]}, "a `resize` of one number"),
        ({"interpolation": "area"}, "`resize_like: pillow` has no `area`; it has nearest"),
        ({"antialias": False}, "`antialias` is torchvision's choice alone"),
        ({"dtype": "uint8"}, "`dtype: uint8` needs `scale: 1`"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    """The recipe is checked before any picture is."""
    with pytest.raises(ValidationError) as caught:
        preprocess(**options)

    assert message in str(caught.value)


def test_resizing_is_whose_it_is_said_to_be():
    """Three pixels in one: Pillow and torchvision average, OpenCV takes the middle one."""
    picture = gray([[0, 90, 255]])
    ways = [{}, {"resize_like": "torchvision"}, {"resize_like": "opencv"}]
    ways += [{"resize_like": "torchvision", "antialias": False}]
    ways += [{"resize_like": "opencv", "interpolation": "area"}]

    found = [preprocess(resize=[1, 1], scale=1, color="gray", **way) for way in ways]

    assert [111, 111, 90, 90, 115] == [int(each.apply(picture, "x").item()) for each in found]


@pytest.mark.parametrize("layout", ["chw", "hwc"])
@pytest.mark.parametrize("color", ["rgb", "bgr", "gray"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
def test_what_the_model_sees_can_be_shown(color, layout, dtype):
    """Undone, an array is the picture again; gray in three channels."""
    values = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3) * 10
    scaled = {"scale": 1} if dtype == "uint8" else {"mean": [0.4], "std": [0.2]}
    how = preprocess(color=color, layout=layout, dtype=dtype, **scaled)

    array = how.apply(values, "x")

    shown = how.undo(array)
    wanted = np.repeat(np.asarray(Image.fromarray(values).convert("L"))[..., None], 3, axis=2)
    assert dtype == array.dtype
    np.testing.assert_array_equal(shown, wanted if color == "gray" else values)
