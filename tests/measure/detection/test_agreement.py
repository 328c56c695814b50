"""Which of a few boxes two detectors share."""

from __future__ import annotations

from tests.helpers.detecting import boxes_of
from trtbuild.measure.detection.agreement import Agreement, agree

HERE, NEAR, THERE = [0, 0, 10, 10], [0, 0, 10, 8], [50, 50, 60, 60]


def test_a_box_is_matched_once():
    """Two of the candidate's on one of the reference's: one is extra; one is missed."""
    reference = boxes_of([*HERE, 0.9, 0], [*THERE, 0.8, 0])
    candidate = boxes_of([*NEAR, 0.7, 0], [*HERE, 0.6, 0])

    assert Agreement(both=1, missed=1, extra=1) == agree(reference, candidate, iou=0.5)


def test_another_class_is_no_match():
    """However much they overlap."""
    reference, candidate = boxes_of([*HERE, 0.9, 0]), boxes_of([*HERE, 0.9, 1])

    assert Agreement(0, 1, 1) == agree(reference, candidate, iou=0.5)


def test_too_little_overlap_is_no_match():
    """0.8 is not 0.9."""
    reference, candidate = boxes_of([*HERE, 0.9, 0]), boxes_of([*NEAR, 0.9, 0])

    assert Agreement(0, 1, 1) == agree(reference, candidate, iou=0.9)


def test_nothing_agrees_with_nothing():
    """No boxes on either side."""
    assert Agreement(0, 0, 0) == agree(boxes_of(), boxes_of(), iou=0.5)
    assert Agreement(0, 0, 1) == agree(boxes_of(), boxes_of([*HERE, 0.9, 0]), iou=0.5)
