"""detection, on two pictures with a thing or two."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import begun, folded, metric_of
from trtbuild.core.errors import StepInputError

HERE, NEAR, THERE = [0, 0, 10, 10], [0, 0, 10, 8], [50, 50, 60, 60]
REFERENCE = [[[*HERE, 0.9, 0], [*THERE, 0.8, 1]], [[*HERE, 0.7, 0], [*THERE, 0.1, 0]]]
CANDIDATE = [[[*NEAR, 0.9, 0]], [[*HERE, 0.6, 0], [*THERE, 0.5, 0]]]
LABELS = [[[0, *HERE], [1, *THERE]], [[0, *HERE]]]


def made(reference=REFERENCE, candidate=CANDIDATE, labels=None, **options):
    sides = (
        {"y": [np.array(rows, np.float32).reshape(-1, 6) for rows in side]}
        for side in (reference, candidate)
    )
    truths = labels and [np.array(rows, np.float32).reshape(-1, 5) for rows in labels]
    metric = metric_of(kind="detection", layout={"kind": "end_to_end"}, **options)
    return begun(metric, *sides, truths=truths)


def test_agreement_is_with_what_the_reference_finds():
    """3 of 4 above 0.25 on one side, 3 on the other; 2 are the same."""
    found = folded(made(), [0, 1])

    assert pytest.approx(4 / 6) == found["f1"][1]
    assert pytest.approx(1 / 3) == found["missed"][1]
    assert pytest.approx(1 / 3) == found["extra"][1]


def test_a_stricter_overlap_or_a_lower_score_is_other_agreement():
    """NEAR overlaps by 0.8; the box with a score of 0.1 is the candidate's one of 0.5."""
    assert pytest.approx(2 / 6) == folded(made(match_iou=0.9), [0, 1])["f1"][1]
    assert pytest.approx(6 / 7) == folded(made(score_threshold=0.05), [0, 1])["f1"][1]


def test_map_is_of_both_sides_by_labels():
    """At 0.5: all found by one; by the other class 0, with a wrong one last, and not class 1."""
    pytest.importorskip("pycocotools")
    found = folded(made(labels=LABELS), [0, 1])

    assert (pytest.approx(1.0), pytest.approx(0.5)) == found["map50"]
    assert found["map50_95"][1] < found["map50"][1]


def test_boxes_from_0_to_1_are_told_by_the_size_of_the_input():
    """Labels are in pixels of an input of 100 x 200."""
    pytest.importorskip("pycocotools")
    rows = [np.array([[0.0, 0.0, 0.1, 0.05, 0.9, 0]], np.float32)]
    metric = metric_of(
        kind="detection", layout={"kind": "end_to_end"}, normalized=True, against="labels"
    )
    truths = [np.array([[0, *HERE, 100, 200]], np.float32)]
    found = folded(begun(metric, {"y": rows}, {"y": rows}, truths=truths), [0])

    assert (pytest.approx(1.0), pytest.approx(1.0)) == found["map50_95"]


def test_what_means_nothing_says_so():
    """Nothing found by FP32; few found; no labels."""
    nothing = made([[]], [[]]).fold(np.array([0]))
    few = made().fold(np.array([0, 1]))

    assert "the reference detects nothing with a score of 0.25" in nothing["f1"].remark
    assert nothing["f1"].value is None
    assert "of only 3 detections" in few["f1"].remark
    assert few["map50"].value is None
    assert "the data has no labels" in few["map50"].remark


def test_a_reference_that_finds_nothing_of_the_labels_says_so():
    """Labels of another class: no drop from nothing is good news."""
    pytest.importorskip("pycocotools")
    found = made(labels=[[[7, *HERE]], [[7, *HERE]]]).fold(np.array([0, 1]))["map50"]

    assert (0.0, 0.0) == (found.reference, found.value)
    assert "the reference itself finds next to nothing" in found.remark


def test_labels_without_an_object_say_so():
    """Two pictures of nothing."""
    pytest.importorskip("pycocotools")
    found = made(labels=[[], []]).fold(np.array([0, 1]))["map50"]

    assert (None, "there is no object in any picture's labels") == (found.value, found.remark)


def test_another_layout_is_refused_in_the_recipe_s_words():
    """What the output is, and what to look at."""
    with pytest.raises(StepInputError, match="`kind: detection`: an output of shape") as caught:
        begun(
            metric_of(kind="detection", layout={"kind": "yolov8"}),
            {"y": [np.zeros((300, 84), np.float32)]},
            {"y": [np.zeros((300, 84), np.float32)]},
        )

    assert "trtbuild kinds layout" in caught.value.hint
