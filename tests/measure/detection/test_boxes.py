"""Boxes whose areas can be counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.detecting import boxes_of, draw_boxes
from trtbuild.measure.detection.boxes import Boxes, find_overlaps, suppress, to_corners


@pytest.mark.parametrize(
    ("form", "row"),
    [
        ("xyxy", [2, 4, 8, 12]),
        ("xywh", [2, 4, 6, 8]),
        ("cxcywh", [5, 8, 6, 8]),
        ("yxyx", [4, 2, 12, 8]),
    ],
)
def test_every_format_says_the_same_box(form, row):
    """From 2 to 8 and from 4 to 12."""
    assert [[2, 4, 8, 12]] == to_corners(np.array([row]), form).tolist()


def test_overlap_is_intersection_over_union():
    """2 x 2 that share 1 x 2: 2 of 6; one in the other: 1 of 4; apart or without area: 0."""
    ours = np.array([[0.0, 0, 2, 2], [3, 3, 3, 3]])
    theirs = np.array([[1.0, 0, 3, 2], [0, 0, 1, 1], [5, 5, 6, 6], [3, 3, 3, 3]])

    assert [[2 / 6, 1 / 4, 0, 0], [0, 0, 0, 0]] == find_overlaps(ours, theirs).tolist()


ROWS = [
    [0, 0, 10, 10, 0.5, 0],
    [0, 0, 10, 9, 0.9, 0],
    [0, 0, 10, 8, 0.8, 1],
    [50, 50, 60, 60, 0.1, 0],
]


@pytest.mark.parametrize(
    ("by_class", "threshold", "kept"),
    [
        (True, 0.5, [0.9, 0.8, 0.1]),  # the one of class 1 has no rival
        (False, 0.5, [0.9, 0.1]),
        (True, 0.95, [0.9, 0.8, 0.5, 0.1]),
    ],
)
def test_the_better_of_two_on_one_thing_is_kept(by_class, threshold, kept):
    """The first three overlap by 0.8 and more; scores come highest first."""
    found = suppress(boxes_of(*ROWS), threshold=threshold, by_class=by_class, most=9)

    assert kept == found.scores.tolist()


def test_no_more_are_kept_than_asked_for():
    """Those of the highest scores."""
    assert [0.9, 0.8] == suppress(
        boxes_of(*ROWS), threshold=1, by_class=True, most=2
    ).scores.tolist()


@given(st.integers(0, 2**32 - 1), st.integers(0, 80))
def test_what_is_kept_does_not_overlap_and_what_goes_does(seed, count):
    """For any boxes: no two that stay are rivals, and whatever went has a better rival there."""
    rng = np.random.default_rng(seed)
    boxes = Boxes(draw_boxes(rng, count), rng.random(count), np.zeros(count, np.int64))
    kept = suppress(boxes, threshold=0.3, by_class=True, most=count)
    overlaps = find_overlaps(kept.corners, kept.corners)
    lost = ~np.isin(boxes.scores, kept.scores)
    better = boxes.scores[lost][:, None] < kept.scores

    assert (overlaps[~np.eye(len(kept), dtype=bool)] <= 0.3).all()
    assert ((find_overlaps(boxes.corners[lost], kept.corners) > 0.3) & better).any(axis=1).all()
