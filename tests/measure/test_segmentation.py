"""segmentation, on maps of four pixels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import begun, folded, metric_of
from trtbuild.core.errors import StepInputError
from trtbuild.measure.base import CannotMeasure

MASK = np.array([[0, 0], [1, 255]])
REFERENCE = np.array([[0, 0], [1, 1]])
CANDIDATE = np.array([[0, 1], [1, 1]])


def scores_of(classes):
    """Scores [classes, height, width] whose best are these."""
    return np.moveaxis(np.eye(3, dtype=np.float32)[classes], -1, 0)


def made(reference=REFERENCE, candidate=CANDIDATE, *, masks=(MASK,), **options):
    return begun(
        metric_of(kind="segmentation", **options),
        {"y": [scores_of(reference)]},
        {"y": [scores_of(candidate)]},
        truths=masks,
    )


def test_miou_leaves_out_what_a_mask_ignores():
    """FP32 is right; of the candidate's, class 0 has 1 of 2 and class 1 has 1 of 2."""
    found = folded(made(), [0])

    assert (1.0, 0.5) == found["miou"]
    assert (1.0, 2 / 3) == found["pixel_accuracy"]


def test_agreement_is_of_all_pixels():
    """Class 0: 1 of 2; class 1: 2 of 3; 3 of 4 pixels."""
    found = folded(made(), [0])

    assert pytest.approx((1 / 2 + 2 / 3) / 2) == found["miou_agreement"][1]
    assert (None, 0.75) == found["pixel_agreement"]


def test_it_is_of_all_samples_together():
    """A class that is in one sample alone has the union of that one."""
    both = begun(
        metric_of(kind="segmentation"),
        {"y": [REFERENCE, np.full((2, 2), 2)]},
        {"y": [CANDIDATE, np.full((2, 2), 2)]},
    )

    assert pytest.approx((1 / 2 + 2 / 3 + 1) / 3) == folded(both, [0, 1])["miou_agreement"][1]


def test_a_smaller_map_is_held_against_the_whole_mask():
    """Each of its pixels stands for four."""
    mask = REFERENCE.repeat(2, axis=0).repeat(2, axis=1)

    found = folded(made(masks=(mask,)), [0])

    assert (1.0, pytest.approx((1 / 2 + 2 / 3) / 2)) == found["miou"]
    assert (1.0, 0.75) == found["pixel_accuracy"]


def test_one_score_a_pixel_has_a_threshold():
    """From 0.5 on it is class 1."""
    found = begun(
        metric_of(kind="segmentation"),
        {"y": [np.array([[[0.5, 0.4]]])]},
        {"y": [np.array([[[0.9, 0.6]]])]},
    )

    assert (None, 0.5) == folded(found, [0])["pixel_agreement"]


def test_what_means_nothing_says_so():
    """One class in all pixels; and no labels at all."""
    flat = np.zeros((2, 2), np.int64)
    found = made(flat, flat, masks=None).fold(np.array([0]))

    assert "one class" in found["miou_agreement"].remark
    assert (None, "the data has no labels") == (found["miou"].value, found["miou"].remark)


def test_labels_that_are_no_masks_do_not_count():
    """Scores, or one class a picture: said beside the figure."""
    found = made(masks=(MASK.astype(np.float32),)).fold(np.array([0]))

    assert "the data's labels are float32 [2, 2]" in found["miou"].remark
    assert found["miou_agreement"].value is not None


def test_a_class_below_0_is_told():
    """The frame adds which sample it is."""
    with pytest.raises(CannotMeasure, match="a class below 0"):
        made(masks=(np.array([[-1, 0], [0, 0]]),))


def test_an_output_that_is_no_map_is_refused():
    """Scores of classes are none, though every number could be held against a threshold."""
    rows = {"y": [np.zeros(10, np.float32)]}
    with pytest.raises(StepInputError) as caught:
        begun(metric_of(kind="segmentation"), rows, rows)

    assert "a sample of `y` is [10], not [" in caught.value.message
