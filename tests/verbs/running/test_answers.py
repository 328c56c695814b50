"""Outputs are read as the recipe's metrics say."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.helpers.recipes import one_target
from trtbuild.core.errors import StepInputError
from trtbuild.data.preprocess import Preprocess
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.running.answers import choose_answering, find_nearest

DETECTION = {"kind": "detection", "layout": {"kind": "end_to_end"}, "iou_threshold": 0.5}


@pytest.fixture
def answering(tmp_path):
    """Choose how outputs are read, by the metrics of a recipe."""

    def choose(metrics, *, outputs=("y",), names=(), parts=None):
        compare = {"data": "d", "metrics": metrics, "outputs": parts or {}}
        path = tmp_path / "r.yaml"
        data = "data: {d: {kind: arrays, path: x.npz, labels: l}}\n"
        path.write_text(
            one_target({"kind": "onnxruntime"}, f"{data}compare: {json.dumps(compare)}\n")
        )
        return choose_answering(load_recipe(path).recipe, outputs, names, 2)

    return choose


@pytest.mark.parametrize(
    "scores", [[0.1, 0.7, 0.2], list(np.log([0.1, 0.7, 0.2]) + 5), [[[0.1]], [[0.7]], [[0.2]]]]
)
def test_the_best_classes_have_names_and_probabilities(answering, scores):
    """Of probabilities as they are, of logits by softmax."""
    for metric in ("top1", "top1_agreement", {"kind": "classification"}):
        found = answering([metric], names=("cat", "dog")).answer({"y": np.array(scores)}, None)

        assert [(1, "dog", 0.7), (2, "", 0.2)] == [
            (each.number, each.name, round(each.score, 6)) for each in found.classes
        ]


def test_boxes_are_brought_back_into_the_picture(answering):
    """A picture of 200 × 100 in a letterbox of 100 × 100: half the size, 25 pixels from the top."""
    rows = np.array([[10, 30, 20, 40, 0.9, 1], [0, 0, 1, 1, 0.1, 0]], np.float32)
    view = Preprocess(resize=(100, 100), fit="letterbox").view(200, 100)
    found = answering([DETECTION], names=("a", "b")).answer({"y": rows}, view)
    bare = answering([DETECTION]).answer({"y": rows}, None)
    assert found.boxes is not None
    assert bare.boxes is not None
    (box,) = found.boxes

    assert ((20.0, 10.0, 40.0, 30.0), "b", 0.9) == (box.corners, box.name, round(box.score, 6))
    assert (10.0, 30.0, 20.0, 40.0) == bare.boxes[0].corners


def test_normalized_boxes_are_in_parts_of_what_the_model_takes(answering):
    """From 0 to 1 of the letterbox, not of the picture."""
    rows = np.array([[0.1, 0.3, 0.2, 0.4, 0.9, 1]], np.float32)
    view = Preprocess(resize=(100, 100), fit="letterbox").view(200, 100)
    found = answering([{**DETECTION, "normalized": True}]).answer({"y": rows}, view)
    assert found.boxes is not None

    np.testing.assert_allclose((20, 10, 40, 30), found.boxes[0].corners, atol=1e-4)


def test_parts_of_outputs_can_be_meant(answering):
    """By the name that the recipe gives them."""
    metric = {"kind": "classification", "output": "scores"}
    found = answering([metric], outputs=("y", "z"), parts={"scores": "y[:, 1:]"})
    answer = found.answer({"y": np.array([9.0, 0.3, 0.7]), "z": np.zeros(1)}, None)

    assert [1, 0] == [each.number for each in answer.classes]


def test_several_outputs_must_be_told_apart(answering):
    """Where the metric does not say which it means."""
    found = answering([{"kind": "classification"}], outputs=("y", "z"))
    with pytest.raises(StepInputError, match="which output is meant"):
        found.answer({"y": np.zeros(2), "z": np.zeros(2)}, None)


def test_else_outputs_are_what_they_are(answering):
    """Metrics of numbers say nothing of what these mean."""
    answer = answering(["cosine"]).answer({"y": np.zeros(2)}, None)

    assert ((), None, ["y"]) == (answer.classes, answer.boxes, list(answer.outputs))


def test_the_nearest_are_by_cosine(answering):
    """A vector's length has no say; one of zeros is near to none."""
    vectors = [
        answering([{"kind": "embedding"}]).answer({"y": np.array(each)}, None).vector
        for each in ([1.0, 0.0], [0.0, 5.0], [3.0, 4.0], [0.0, 0.0])
    ]

    assert [(2, 0.6), (1, 0.0), (3, 0.0)] == [
        (place, round(cosine, 6)) for place, cosine in find_nearest(vectors)[0]
    ]


SEGMENTATION = {"kind": "segmentation"}


@pytest.mark.parametrize("scores", [True, False])
def test_a_map_of_classes_has_the_share_of_each(answering, scores):
    """Of scores for each pixel, or of classes that are chosen already."""
    classes = np.array([[0, 0, 1], [0, 2, 0]])
    output = np.eye(3)[classes].transpose(2, 0, 1) if scores else classes
    found = answering([SEGMENTATION], names=("road", "car")).answer({"y": output}, None)
    assert found.class_map is not None

    assert np.array_equal(classes, found.class_map.classes)
    assert [("road", 4 / 6), ("car", 1 / 6), ("", 1 / 6)] == [
        (each.name, each.score) for each in found.class_map.shares
    ]


def test_whole_numbers_in_a_plane_are_a_map_of_classes(answering):
    """No metric has to say so, where a picture was fed; a table of them is none."""
    view = Preprocess(resize=(32, 32)).view(64, 64)
    plane, table = np.zeros((1, 32, 32), np.int64), np.zeros((32, 2), np.int64)

    assert answering(["cosine"]).answer({"y": plane}, view).class_map is not None
    assert answering(["cosine"]).answer({"y": table}, view).class_map is None
    assert answering(["cosine"]).answer({"y": plane}, None).class_map is None


def test_what_is_no_map_is_refused(answering):
    """With how to name another output."""
    with pytest.raises(
        StepInputError, match=r"a class map is \[height, width\], and here it is \[5\]"
    ):
        answering([SEGMENTATION]).answer({"y": np.zeros(5, np.int64)}, None)


@pytest.mark.parametrize(
    ("span", "values"), [(1, [0, 1, 2]), (2, [-1, 0, 1]), (255, [0, 127.5, 300])]
)
def test_pictures_that_a_model_makes_are_shown(answering, span, values):
    """Gray as gray, and what lies beyond its range at its ends."""
    plane = np.array([[values]], np.float32)
    found = answering([{"kind": "image", "data_range": span}]).answer({"y": plane}, None)
    middle = {1: 255, 2: 128, 255: 128}[span]

    assert [[[0] * 3, [middle] * 3, [255] * 3]] == found.picture.tolist()
