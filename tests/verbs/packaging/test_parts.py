"""What stands before and behind a model does what the recipe says."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from trtbuild.core.values import TensorSpec
from trtbuild.data.preprocess import Preprocess
from trtbuild.measure.detection.finding import find_boxes
from trtbuild.verbs.packaging.parts import (
    MADE,
    list_left_to_senders,
    make_postprocessing,
    make_preprocessing,
)

HOW = {"resize": [6, 8], "fit": "letterbox", "mean": [0.1, 0.2, 0.3], "color": "bgr"}
INPUT = TensorSpec(name="x", dtype="float32", shape=("n", 3, 6, 8))


def run(part, feed):
    session = onnxruntime.InferenceSession(part.data, providers=["CPUExecutionProvider"])
    return session.run(None, feed)


def test_preprocessing_is_the_datas_own(place):
    """With a picture's size the resizing too, to the last bit but of a rounding."""
    data = {"kind": "images", "path": "none", "input": "x", "preprocess": HOW}
    recipe = place(data={"d": data}, compare={"data": "d", "metrics": ["cosine"]}).loaded.recipe
    picture = np.random.default_rng(0).integers(0, 256, (10, 7, 3), np.uint8)

    part = make_preprocessing(recipe, [INPUT], picture=(10, 7))
    (found,) = run(part, {"x": picture[None]})

    assert () == list_left_to_senders(recipe, [INPUT], picture=(10, 7))
    (told,) = list_left_to_senders(recipe, [INPUT], picture=None)
    assert "left to whoever sends pictures (resize 6x8, fit letterbox)" in told
    how = Preprocess.model_validate_json(json.dumps(HOW))
    wanted = how.apply(Image.fromarray(picture), "p")
    assert MADE == part.gives[0].name
    np.testing.assert_allclose(wanted, found[0], atol=1e-6)


@pytest.mark.parametrize("layout", ["yolov8", "yolov5"])
def test_boxes_are_the_metrics_own(place, layout):
    """What the metric `detection` finds comes out of the part, in the same order."""
    metric = {"kind": "detection", "layout": {"kind": layout}, "score_threshold": 0.3}
    data = {"kind": "images", "path": "none", "input": "x", "preprocess": {}}
    recipe = place(data={"d": data}, compare={"data": "d", "metrics": [metric]}).loaded.recipe
    head = np.random.default_rng(1).random((1, 30, 7 if layout == "yolov5" else 6), np.float32)
    head[..., :4] *= 20
    output = head.transpose(0, 2, 1) if layout == "yolov8" else head
    spec = TensorSpec(name="head", dtype="float32", shape=("n", *output.shape[1:]))

    (rows,) = run(make_postprocessing(recipe, [spec]), {"head": np.ascontiguousarray(output)})

    boxes = found_by_metric(recipe.compare.metrics[0], output[0])
    assert len(boxes) > 3
    np.testing.assert_allclose(boxes.scores, rows[0, : len(boxes), 4], atol=1e-5)
    np.testing.assert_allclose(boxes.corners, rows[0, : len(boxes), :4], atol=1e-4)


def found_by_metric(metric, output):
    return find_boxes(
        metric.layout,
        [output],
        score_threshold=metric.score_threshold,
        iou_threshold=metric.iou_threshold,
        by_class=not metric.class_agnostic,
        multi_label=metric.multi_label,
        most=metric.max_detections,
    )


def test_what_needs_no_part_has_none(place):
    """No pictures, no detection."""
    recipe = place().loaded.recipe

    assert make_preprocessing(recipe, [INPUT], picture=None) is None
    assert make_postprocessing(recipe, [INPUT]) is None
