"""Outputs in which one part hides another, and those in which none does."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.measure.outputs import measure_output

RNG = np.random.default_rng(0)


def parts_of(array):
    """How the parts are written that an output is measured by, beside the whole."""
    found = measure_output("o", array, array * 1.01, metrics=["sqnr_db"])
    return [measure.output for measure in found[1:]]


def detector(n=4, anchors=40):
    """Boxes in pixels and scores in 0..1, on one axis."""
    boxes = RNG.uniform(10, 640, (n, 4, anchors))
    return np.concatenate([boxes, RNG.uniform(0, 1, (n, 8, anchors))], axis=1)


def softmax(x):
    e = np.exp(x)
    return e / e.sum(axis=1, keepdims=True)


def points():
    """Keypoints: x and y in pixels and a confidence, many times."""
    each = [np.concatenate([RNG.uniform(9, 99, (64, 2)), RNG.uniform(0, 1, (64, 1))], 1)] * 9
    return np.concatenate(each, axis=1)


@pytest.mark.parametrize(
    ("output", "parts"),
    [
        (detector(), ["o[:, 0:4]", "o[:, 4:12]"]),
        (np.swapaxes(detector(), 1, 2), ["o[:, :, 0:4]", "o[:, :, 4:12]"]),
        (detector()[:, None], ["o[:, :, 0:4]", "o[:, :, 4:12]"]),
        (points(), ["o[:, 2:27:3]"]),
        (np.stack([RNG.normal(0, 0.2, 64), RNG.uniform(5, 50, 64)], 1), ["o[:, 0:1]", "o[:, 1:2]"]),
    ],
    ids=["channels first", "channels last", "an axis between", "keypoints", "angle and distance"],
)
def test_parts_of_unlike_scale_are_measured_by_themselves(output, parts):
    """Whichever axis they lie on."""
    assert parts == parts_of(output)


@pytest.mark.parametrize(
    "output",
    [
        RNG.normal(0, 3, (64, 100)),
        RNG.normal(0, 3, (64, 2)),
        softmax(RNG.normal(0, 3, (64, 10))),
        np.log(softmax(RNG.normal(0, 3, (64, 10)))),
        RNG.normal(size=(64, 300)) * np.where(np.arange(300) == 7, 30, 1),
        np.maximum(RNG.normal(-1, 1, (64, 300)) * np.exp(RNG.normal(0, 1.5, 300)), 0),
        np.where(np.arange(64) < 9, 1.0, RNG.uniform(0, 255, (4, 3, 48, 64))),
        RNG.normal(size=(4, 30, 20, 20)),
        detector(n=1, anchors=4),
    ],
    ids=[
        "logits", "two logits", "softmax", "log softmax", "an outlier channel", "ReLU", "a picture",
        "a feature map", "too few values",
    ],
)  # fmt: skip
def test_ordinary_outputs_are_left_whole(output):
    """A warning that is always there is none."""
    assert [] == parts_of(output)


def test_the_figures_by_part_say_what_the_whole_hides():
    """Noise of half a pixel is nothing to the boxes, and half of the scores'."""
    output = detector()
    noisy = output + RNG.normal(0, 0.5, output.shape)
    whole, boxes, scores = measure_output("o", output, noisy, metrics=["sqnr_db"])

    assert whole.value > 50
    assert boxes.value > 50
    assert scores.value < 5
    assert "its parts differ in scale" in whole.doubt
    assert ("", "o", "o") == (whole.part_of, boxes.part_of, scores.part_of)
