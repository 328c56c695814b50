"""Boxes that go where their pictures go."""

from __future__ import annotations

from trtbuild.data.preprocess import Preprocess
from trtbuild.data.truths.boxes import place_boxes

BOX = (3, 10.0, 20.0, 30.0, 60.0, False)


def placed(*boxes, size=(100, 200), **options):
    return place_boxes(boxes, Preprocess(**options).view(*size)).tolist()


def test_without_preprocessing_they_stay():
    """Class, corners, the input's width and height, and no crowd."""
    assert [[3, 10, 20, 30, 60, 100, 200, 0]] == placed(BOX)


def test_they_are_resized_with_the_picture():
    """100 x 200 to 50 x 400: half as wide, twice as high."""
    assert [[3, 5, 40, 15, 120, 50, 400, 0]] == placed(BOX, resize=(400, 50))


def test_they_are_moved_and_cut_with_the_crop():
    """The middle 80 x 100 of 100 x 200 begins at (10, 50): ten rows of the box are left."""
    assert [[3, 0, 0, 20, 10, 80, 100, 0]] == placed(BOX, crop=(100, 80))


def test_what_lies_outside_goes():
    """No box is left where the crop shows nothing of it; none at all is an empty table."""
    assert [] == placed(BOX, crop=(10, 10))
    assert (0, 8) == place_boxes((), Preprocess().view(4, 4)).shape


def test_they_are_moved_into_a_letterbox():
    """100 x 200 in 100 x 100: half as large, 25 columns to the right."""
    row = [3, 30, 10, 40, 30, 100, 100, 0]
    assert [row] == placed(BOX, resize=(100, 100), fit="letterbox")
