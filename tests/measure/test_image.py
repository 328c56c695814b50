"""image, on flat pictures."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import begun, folded, metric_of
from trtbuild.core.errors import StepInputError
from trtbuild.measure.base import CannotMeasure


def flat(value, side=12):
    return np.full((1, side, side), value, np.float32)


def made(reference, candidate, truths=None, **options):
    return begun(
        metric_of(kind="image", **options), {"y": reference}, {"y": candidate}, truths=truths
    )


def test_psnr_is_the_mean_over_pictures():
    """A tenth off is 20 dB, a hundredth 40."""
    found = folded(made([flat(0.0), flat(0.0)], [flat(0.1), flat(0.01)]), [0, 1])

    assert 30 == pytest.approx(found["psnr_db"][1], rel=1e-6)
    assert 20 == pytest.approx(
        folded(made([flat(0.0)], [flat(25.5)], data_range=255), [0])["psnr_db"][1]
    )


def test_targets_are_held_against_both_sides():
    """The reference is a tenth off, the candidate two."""
    found = folded(made([flat(0.1)], [flat(0.2)], [flat(0.0)]), [0])

    assert pytest.approx((20.0, 20 - 20 * np.log10(2))) == found["target_psnr_db"]
    assert found["target_ssim"][0] > found["target_ssim"][1]


def test_equal_pictures_have_no_finite_psnr():
    """All of them: identical; some: not in the mean, and said."""
    all_equal = made([flat(0.0)], [flat(0.0)]).fold(np.array([0]))["psnr_db"]
    one = made([flat(0.0), flat(0.0)], [flat(0.0), flat(0.1)]).fold(np.array([0, 1]))["psnr_db"]

    assert all_equal.identical
    assert 20 == pytest.approx(one.value, rel=1e-6)
    assert "1 of 2 pictures are identical" in one.remark


def test_a_border_may_not_count():
    """What differs lies in it."""
    odd = flat(0.5, 20)
    odd[:, 0, :] = 0.9

    assert made([flat(0.5, 20)], [odd], crop_border=1).fold(np.array([0]))["psnr_db"].identical


def test_what_means_nothing_says_so():
    """Values far beyond the range; pictures that no window fits into."""
    wide = flat(0.0)
    wide[0, 0, 0] = 200
    beyond = made([wide], [flat(0.1)]).fold(np.array([0]))
    small = made([flat(0.0, 4)], [flat(0.1, 4)]).fold(np.array([0]))["ssim"]

    assert "`data_range` is 1" in beyond["psnr_db"].remark
    assert (None, "a picture is smaller than the window of 11 x 11") == (small.value, small.remark)


def test_pictures_of_other_sizes_are_told():
    """A target at the size before upscaling."""
    with pytest.raises(CannotMeasure, match="its pictures are"):
        made([flat(0.0)], [flat(0.0)], [flat(0.0, 24)])


def test_an_output_that_is_no_picture_is_refused():
    """Scores of classes are none, though every number could be held against a threshold."""
    rows = {"y": [np.zeros(10, np.float32)]}
    with pytest.raises(StepInputError) as caught:
        begun(metric_of(kind="image"), rows, rows)

    assert "a sample of `y` is [10], not [" in caught.value.message
