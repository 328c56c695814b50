"""Of what a head puts out, the boxes that reach the threshold, each of its best class or of all."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.measure.detection.finding import find_boxes
from trtbuild.measure.detection.layouts import Yolov8


def find(scores, *, multi_label=False):
    """Cells [n], far apart, with scores of each class."""
    boxes = [[100.0 * cell, 10, 4, 4] for cell in range(len(scores))]
    rows = np.concatenate([np.array(boxes).reshape(-1, 4), np.asarray(scores, float)], axis=1)
    return find_boxes(
        Yolov8(kind="yolov8"),
        [rows.T[None].astype(np.float32)],
        score_threshold=0.5,
        iou_threshold=0.5,
        by_class=True,
        multi_label=multi_label,
        most=9,
    )


def test_a_box_counts_once_for_its_best_class():
    """Of equal classes the first; what no class reaches the threshold with is none."""
    found = find([[0.25, 0.75], [0.25, 0.125], [0.5, 0.5]])

    assert ([0.75, 0.5], [1, 0]) == (found.scores.tolist(), found.classes.tolist())
    assert [[-2, 8, 2, 12], [198, 8, 202, 12]] == found.corners.tolist()


def test_with_several_labels_it_counts_for_each():
    """Both of the third cell."""
    found = find([[0.25, 0.75], [0.25, 0.125], [0.5, 0.5]], multi_label=True)

    assert ([0.75, 0.5, 0.5], [1, 0, 1]) == (found.scores.tolist(), found.classes.tolist())


def test_nothing_is_found_where_nothing_reaches_the_threshold():
    """One cell, or not even that."""
    assert 0 == len(find([[0.25, 0.25]]))
    assert 0 == len(find(np.zeros((0, 2))))


def test_what_can_be_no_scores_is_refused():
    """Logits, say."""
    with pytest.raises(StepInputError, match="scores go from -4 to 7, and not from 0 to 1"):
        find([[-4, 7]])
