"""What a model is for, by its outputs."""

from __future__ import annotations

import pytest

from trtbuild.core.values import TensorSpec
from trtbuild.verbs.init.feeding import find_fed_inputs
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.outputs import find_purpose
from trtbuild.verbs.init.pictures import PictureFacts
from trtbuild.verbs.init.sizes import choose_sizes

PICTURE = ("x", ("n", 3, 640, 640))


def purpose(outputs, given=PICTURE, task="", **look):
    name, shape = given
    inputs = (TensorSpec(name=name, dtype="float32", shape=shape),)
    made = tuple(TensorSpec(name=n, dtype=d, shape=s) for n, d, s in outputs)
    looked = ModelLook("m", (), inputs=inputs, outputs=made, **look)
    fed = find_fed_inputs(looked)
    return find_purpose(looked, fed, choose_sizes(fed, None), PictureFacts(task=task))


def floats(**shapes):
    return [(name, "float32", shape) for name, shape in shapes.items()]


@pytest.mark.parametrize(
    ("outputs", "layout"),
    [
        (floats(output0=("n", 84, 8400)), {"kind": "yolov8"}),
        (floats(output=("n", 25200, 85)), {"kind": "yolov5"}),
        (floats(output0=("n", 300, 6)), {"kind": "end_to_end"}),
        (
            floats(boxes=("n", 8732, 4), scores=("n", 8732, 81)),
            {"kind": "ssd", "boxes": "boxes", "scores": "scores"},
        ),
        (
            [*floats(boxes=("n", 100, 4), scores=("n", 100)), ("classes", "int64", ("n", 100)),
             ("num", "int32", ("n", 1))],
            {"kind": "decoded", "boxes": "boxes", "scores": "scores", "classes": "classes",
             "number": "num"},
        ),
    ],
)  # fmt: skip
def test_layouts_of_detectors_are_known(outputs, layout):
    """By how many boxes a picture of this size has."""
    found = purpose(outputs)

    assert "detection" == found.task
    assert ({"kind": "detection", "layout": layout},) == found.metrics


def test_three_heads_are_numbers():
    """No layout is of raw maps."""
    found = purpose(floats(a=("n", 18, 80, 80), b=("n", 18, 40, 40), c=("n", 18, 20, 20)))

    assert ("", ()) == (found.task, found.metrics)


def test_scores_are_a_classifiers():
    """As many as it has; axes of size 1 do not count."""
    assert ("classification", 10) == (
        (found := purpose(floats(y=("n", 10)))).task,
        found.classes,
    )
    assert "classification" == purpose(floats(y=("n", 10, 1, 1))).task


def test_vectors_are_known_by_name_or_length():
    """Brought to length 1 in the graph, or called an embedding."""
    assert "embedding" == purpose(floats(sentence_embedding=("n", 384))).task
    assert "embedding" == purpose(floats(y=("n", 384)), unit_vectors=frozenset("y")).task


def test_pictures_are_told_from_maps_of_classes():
    """By channels and size."""
    twice = purpose(floats(y=("n", 3, 1280, 1280)))
    assert {"kind": "image", "output": "y", "crop_border": 2} == twice.metrics[0]
    assert "segmentation" == purpose(floats(y=("n", 21, 640, 640))).task


def test_what_is_suppressed_has_no_noise_to_gate():
    """Rows move when a score does."""
    assert not purpose(floats(y=("n", 300, 6))).floats
    assert not purpose(floats(y=("n", 10)), suppresses=True).floats


@pytest.mark.parametrize(
    ("output", "task"),
    [
        (("y", "int64", ("n", 640, 640)), "segmentation"),
        (("y", "uint8", ("n", 1, 640, 640)), "segmentation"),
        (("y", "int64", ("n", 20)), ""),
    ],
)
def test_whole_numbers_for_each_pixel_are_a_map_of_classes(output, task):
    """They have chosen already."""
    assert task == purpose([output]).task
