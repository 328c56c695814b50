"""Letterboxes and longer sides; the shorter side and crops stand with all of preprocessing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from trtbuild.core.errors import StepInputError
from trtbuild.data.preprocess import Preprocess


def preprocess(**options) -> Preprocess:
    return Preprocess.model_validate_json(json.dumps(options))


def gray(rows) -> Image.Image:
    return Image.fromarray(np.array(rows, np.uint8))


def test_a_letterbox_is_padded():
    """A wide picture in a square: rows of 114 above and below, and the shape is known before."""
    how = preprocess(resize=[4, 4], fit="letterbox", scale=1, color="gray")

    rows = how.apply(gray([[9] * 4] * 2), "x")[0].tolist()

    assert [[114.0] * 4, [9.0] * 4, [9.0] * 4, [114.0] * 4] == rows
    assert (1, 4, 4) == how.find_shape()


def test_a_letterbox_in_the_corner_is_padded_behind():
    """With a value of one's own."""
    how = preprocess(resize=2, fit="letterbox", align="corner", pad=7, scale=1, color="gray")

    assert [[9.0, 7.0], [9.0, 7.0]] == how.apply(gray([[9], [9]]), "x")[0].tolist()


def test_the_longer_side_decides_where_it_is_asked_to():
    """640x480 with 320 becomes 320x240."""
    array = preprocess(resize=320, fit="longest").apply(Image.new("RGB", (640, 480)), "x")

    assert (3, 240, 320) == array.shape


@pytest.mark.parametrize("way", [{}, {"resize_like": "opencv"}, {"resize_like": "torchvision"}])
def test_a_strip_is_not_blown_up(way):
    """Whoever resizes."""
    with pytest.raises(StepInputError, match="x: 1x9000 pixels would be resized to 4000x36000000"):
        preprocess(resize=4000, **way).apply(Image.new("L", (1, 9000)), "x")


@pytest.mark.parametrize("like", ["pillow", "opencv", "torchvision"])
def test_floats_go_the_way_of_bytes(like):
    """Through letterbox and all, without rounding, in RGB and gray."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    how = preprocess(resize=[16, 16], fit="letterbox", resize_like=like, scale=1)

    exact = how.apply(picture.astype(np.float32), "x")

    assert np.abs(exact - how.apply(picture, "x")).max() <= 1
    assert (3, 16, 16) == exact.shape
    assert {114.0} == set(exact[:, 0].flat)
