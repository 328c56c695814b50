"""What the head of a detector is, by the structure of its graph."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from trtbuild.model.view import GraphView
from trtbuild.verbs.tuning.heads import find_head

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
    import numpy as np

    view = GraphView(model_of(text, {"w": np.ones((8, 8), np.float32)}))

    assert tuple(expected.split()) == find_head(view, layers)
