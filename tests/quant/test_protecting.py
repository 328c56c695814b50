"""What the head of a detector is, by the structure of its graph."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.quant.protecting import find_head, find_protected
from trtbuild.quant.requests import PrecisionRequests

DETECTOR = """
detector (float[batch, 8] x) => (float[batch, 8] boxes, float[batch, 8] scores) {
  [body] a = MatMul (x, w)
  r = Relu (a)
  [distances] b = MatMul (r, w)
  soft = Softmax (b)
  [mean] boxes = MatMul (soft, w)
  [first] c = MatMul (r, w)
  [classes] d = MatMul (c, w)
  scores = Sigmoid (d)
}
"""
CHAIN = """
chain (float[batch, 8] x) => (float[batch, 8] y) {
  [only] y = MatMul (x, w)
}
"""


@pytest.mark.parametrize(
    ("text", "layers", "expected"),
    [
        (DETECTOR, ["body", "distances", "mean", "first", "classes"], "distances mean classes"),
        (CHAIN, ["only"], ""),
    ],
)
def test_the_head_is_what_no_layer_stands_behind(text, layers, expected):
    """A layer that averages a distribution is a part of the decoding; all layers are no head."""
    assert tuple(expected.split()) == find_head(_nodes(text), layers)


@pytest.mark.parametrize(
    ("policy", "text", "expected"),
    [
        ("detection_head", DETECTOR, "distances mean classes"),
        ("first_and_last", DETECTOR, "body distances mean classes"),
        ("first_and_last", CHAIN, ""),
    ],
)
def test_a_policy_stands_for_layers(policy, text, expected):
    """What would keep every layer in float keeps none."""
    assert tuple(expected.split()) == find_protected(policy, _nodes(text))


def test_what_is_protected_stays_float_as_what_is_skipped():
    """The reason names the policy; a policy is no pattern over names."""
    requests = PrecisionRequests.among(_nodes(DETECTOR), skip=("protect:detection_head",))

    assert () == requests.skip
    assert "protected by the recipe: `detection_head`" == requests.object_to_quantizing(
        "mean", "MatMul"
    )
    assert "" == requests.object_to_quantizing("body", "MatMul")


def _nodes(text):
    return model_of(text, {"w": np.ones((8, 8), np.float32)}).graph.node
