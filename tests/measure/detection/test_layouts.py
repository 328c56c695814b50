"""One box of class 1 with a score of 0.75, from 2 to 8 and from 4 to 12, as each head says it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import TypeAdapter

from trtbuild.core.errors import StepInputError
from trtbuild.measure.detection.finding import find_boxes
from trtbuild.measure.detection.layouts import Layout

YOLO8 = np.array([[5, 8, 6, 8, 0.25, 0.75, 0]], np.float32)
YOLO5 = np.array([[5, 8, 6, 8, 0.5, 0.0, 1.0, 0], [5, 8, 6, 8, 0.75, 0.0, 1.0, 0]], np.float32)
CORNERS = np.array([[2, 4, 8, 12]], np.float32)
CASES = {
    "yolov8": ({}, [YOLO8.T]),
    "yolov8, transposed": ({"transposed": True}, [YOLO8]),
    "yolov5": ({}, [YOLO5]),
    "end_to_end": ({}, [np.array([[2, 4, 8, 12, 0.75, 1]], np.float32)]),
    "ssd": ({"boxes": "b", "scores": "s"}, [CORNERS, YOLO8[:, 4:]]),
    "ssd, with a background": (
        {"boxes": "b", "scores": "s", "background": "first", "activation": "softmax"},
        [CORNERS, np.log([[0.05, 0.2, 0.75]])],
    ),
    "ssd, before a sigmoid": (
        {"boxes": "b", "scores": "s", "activation": "sigmoid", "box_format": "xywh"},
        [np.array([[2, 4, 6, 8]], np.float32), [[-9.0, np.log(3)]]],
    ),
    "decoded": (
        {"boxes": "b", "scores": "s", "classes": "c", "number": "n", "first_class": 1},
        [np.repeat(CORNERS, 2, axis=0), np.array([0.75, 0.9]), np.array([2.0, 2]), np.array([1])],
    ),
}


def layout_of(kind, **options):
    return TypeAdapter(Layout).validate_json(json.dumps({"kind": kind, **options}))


def found(layout, outputs, **options):
    told = {
        "score_threshold": 0.3,
        "iou_threshold": 0.5,
        "by_class": True,
        "multi_label": False,
        "most": 10,
    }
    return find_boxes(layout, [np.asarray(each) for each in outputs], **{**told, **options})


@pytest.mark.parametrize("case", CASES)
def test_a_head_says_one_box(case):
    """YOLOv5's two lie on each other: the one with less objectness goes."""
    options, outputs = CASES[case]
    boxes = found(layout_of(case.partition(",")[0], **options), outputs)

    assert [[2, 4, 8, 12]] == boxes.corners.tolist()
    assert [0.75] == pytest.approx(boxes.scores.tolist())
    assert [1] == boxes.classes.tolist()


def test_an_axis_of_one_in_front_does_not_count():
    """[1, 7, 1] is [7, 1]."""
    assert 1 == len(found(layout_of("yolov8"), [YOLO8.T[None]]))


def test_with_multi_label_a_box_counts_for_each_class():
    """0.75 for class 1, then 0.25 for class 0."""
    boxes = found(layout_of("yolov8"), [YOLO8.T], score_threshold=0.2, multi_label=True)

    assert [1, 0] == boxes.classes.tolist()


def test_a_model_without_boxes_finds_none():
    """An output of no rows."""
    assert 0 == len(found(layout_of("end_to_end"), [np.zeros((0, 6), np.float32)]))


@pytest.mark.parametrize(
    ("kind", "options", "outputs", "told"),
    [
        ("yolov8", {}, [YOLO8], "shape [1, 7] is not [4 + classes, boxes]"),
        ("yolov8", {}, [np.zeros((300, 84))], "shape [300, 84] is not [4 + classes, boxes]"),
        ("yolov5", {}, [np.zeros(9)], "shape [9] holds no [boxes, 5 + classes]"),
        ("end_to_end", {}, [CORNERS], "shape [1, 4] is not [boxes, 6]"),
        ("yolov8", {}, [YOLO8.T * 9], "scores go from 0 to 6.75, and not from 0 to 1"),
        ("end_to_end", {}, [np.full((1, 6), -7.0)], "scores go from -7 to 0"),
        (
            "ssd",
            {"boxes": "b", "scores": "s"},
            [CORNERS, np.zeros((2, 3))],
            "different numbers of boxes: 1, 2",
        ),
    ],
)
def test_what_is_no_such_head_is_refused(kind, options, outputs, told):
    """What came, and what would fit."""
    with pytest.raises(StepInputError) as caught:
        found(layout_of(kind, **options), outputs)

    assert told in caught.value.message
    assert caught.value.hint
