"""The way of a point into what the model takes, and back."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.data.preprocess import Preprocess

WAYS = {
    "letterbox": {"resize": (640, 640), "fit": "letterbox"},
    "corner": {"resize": 320, "fit": "letterbox", "align": "corner"},
    "stretch": {"resize": (320, 640)},
    "crop": {"resize": 256, "crop": (224, 224)},
    "plain": {},
}


def test_a_letterbox_lies_where_yolo_puts_it():
    """810x1080 in 640x640 becomes 480x640, with 80 columns on both sides."""
    view = Preprocess(resize=(640, 640), fit="letterbox").view(810, 1080)

    assert ((480, 640), (-80, 0), (640, 640)) == (view.resized, view.corner, view.size)
    assert (80, 0, 560, 640) == view.shown


@pytest.mark.parametrize(("width", "left"), [(333, 153), (335, 152), (338, 151)])
def test_an_odd_rest_goes_to_the_right(width, left):
    """As `round(rest / 2 - 0.1)` has it."""
    assert -left == Preprocess(resize=(640, 640), fit="letterbox").view(width, 640).corner[0]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_points_come_back(way):
    """Boxes and points in a picture of 300x400, there and back."""
    view = Preprocess(**way).view(300, 400)
    boxes = np.array([[10.0, 20.0, 200.5, 390.0], [0.0, 0.0, 300.0, 400.0]])

    np.testing.assert_allclose(view.to_original(view.to_model(boxes)), boxes)
    np.testing.assert_allclose(view.to_original(view.to_model(boxes[:, :2])), boxes[:, :2])


def test_what_lies_in_the_padding_comes_to_the_edge():
    """A box over the whole input is one over the whole picture."""
    view = Preprocess(resize=(640, 640), fit="letterbox").view(810, 1080)

    assert [[0, 0, 810, 1080]] == view.to_original(np.array([[0, 0, 640, 640]])).tolist()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_view_tells_where_pixels_are(way):
    """What is not padding is what `shown` says, and the sizes are those that come out."""
    picture = np.full((40, 30, 3), 200, np.uint8)
    how = Preprocess(**{k: v if isinstance(v, str) else _tenth(v) for k, v in way.items()})
    view = how.view(30, 40)

    seen = how.shape_pixels(picture, "x")
    left, top, right, bottom = view.shown

    assert (*view.size[::-1], 3) == seen.shape
    assert {200} == set(seen[top:bottom, left:right].flat)
    assert (seen == 200).all(axis=2).sum() == (right - left) * (bottom - top)


def _tenth(size):
    return size // 10 if isinstance(size, int) else tuple(each // 10 for each in size)
