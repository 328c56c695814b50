"""Masks go where their pictures go."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trtbuild.core.errors import StepInputError
from trtbuild.data.preprocess import Preprocess
from trtbuild.data.truths.masks import Masks

LABELS = Masks(kind="masks", path=".")
VALUES = np.array([[0, 1, 2, 255], [3, 4, 5, 6]], np.uint8)


def read(folder, mask, **options):
    mask.save(folder / "1.png")
    view = Preprocess(**options).view(4, 2)
    return LABELS.open(LABELS.find_files(folder, ["1.jpg"]))("1.jpg", view).tolist()


def test_gray_values_are_classes(tmp_path):
    """As they are."""
    assert VALUES.tolist() == read(tmp_path, Image.fromarray(VALUES))


def test_palette_numbers_are_classes(tmp_path):
    """Whatever their colours (as Pascal VOC saves them)."""
    mask = Image.fromarray(VALUES, "L").convert("P")
    mask.putpalette([7] * 768)

    assert VALUES.tolist() == read(tmp_path, mask)


def test_no_class_is_made_up_between_two(tmp_path):
    """Twice as large: each pixel four times; then the middle 2 x 2."""
    assert [[1, 1, 2, 2], [4, 4, 5, 5]] == read(
        tmp_path, Image.fromarray(VALUES), resize=(4, 8), crop=(2, 4)
    )


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (Image.new("RGB", (4, 2)), "is a picture in colour (mode RGB), not of classes"),
        (Image.new("L", (2, 2)), "is 2x2 pixels, and its picture is 4x2"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path, mask, told):
    """Classes by colour, and another size."""
    with pytest.raises(StepInputError) as caught:
        read(tmp_path, mask)

    assert told in caught.value.message


def test_each_picture_has_one(tmp_path):
    """The first without is named."""
    Image.fromarray(VALUES).save(tmp_path / "1.png")

    with pytest.raises(StepInputError, match=r"holds no mask of 2\.jpg"):
        LABELS.find_files(tmp_path, ["1.jpg", "2.jpg"])


def test_a_letterbox_holds_no_class_beside_the_picture(tmp_path):
    """Rows above and below it are of class 255; a crop leaves what it leaves."""
    inside, outside = VALUES.tolist(), [255] * 4
    way = {"resize": (6, 4), "fit": "letterbox"}

    whole = read(tmp_path, Image.fromarray(VALUES), **way)

    assert [outside, outside, *inside, outside, outside] == whole
    cut = [row[1:3] for row in whole[1:5]]
    assert cut == read(tmp_path, Image.fromarray(VALUES), crop=(4, 2), **way)
