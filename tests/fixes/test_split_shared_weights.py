"""split_shared_weights: each layer its own."""

from __future__ import annotations

import numpy as np

from tests.helpers.models import graph_of
from trtbuild.fixes.split_shared_weights import SplitSharedWeights

SPLIT = SplitSharedWeights(kind="split_shared_weights")
WEIGHT = {"w": np.eye(3, dtype=np.float32)}


def test_the_first_layer_keeps_the_name():
    """The others' copies are named after them; other readers are no layers."""
    graph = graph_of(
        """g (float[N, 3] x) => (float[N, 3] y)
        { [a] p = MatMul(x, w)  [b] q = MatMul(p, w)  [c] y = Add(q, w0) }""".replace("w0", "p"),
        WEIGHT,
    )
    log = SPLIT.apply(graph)

    assert ["w", "w_b"] == [node.inputs[1].name for node in graph.nodes[:2]]
    assert ["b: w → w_b"] == log.changes
    assert [] == SPLIT.apply(graph).changes


def test_what_the_copies_come_to_is_said():
    """A tied embedding may be half of the model."""
    graph = graph_of(
        "g (float[N, 3] x) => (float[N, 3] y) { p = MatMul(x, w)  y = MatMul(p, w) }", WEIGHT
    )

    assert ["split_shared_weights: copies of weights come to 36 B"] == SPLIT.apply(graph).remarks


def test_a_product_of_two_constants_is_no_layer():
    """Neither of them is its weight."""
    graph = graph_of(
        "g (float[3, 3] x) => (float[3, 3] y) { p = MatMul(w, w) y = Add(x, p) }", WEIGHT
    )

    assert [] == SPLIT.apply(graph).changes
