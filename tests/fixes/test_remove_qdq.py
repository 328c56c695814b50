"""remove_qdq: float again."""

from __future__ import annotations

import numpy as np

from tests.helpers.models import graph_of, model_of, outputs_of
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.remove_qdq import RemoveQdq

REMOVE = RemoveQdq(kind="remove_qdq")
TEXT = """g (float[N, 2] x) => (float[N, 3] y)
    <float s = {0.5}, int8 z = {0}, float[3] t = {0.1, 0.2, 0.3}, int8[3] zt = {0, 10, 0}> {
    q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)
    w = DequantizeLinear<axis = 1>(i, t, zt)
    m = MatMul(d, w)  p = QuantizeLinear(m, s, z)  y = DequantizeLinear(p, s, z) }"""
WEIGHT = {"i": np.array([[1, 20, 3], [4, 5, -6]], np.int8)}


def test_the_model_is_float_again():
    """Weights by channel and with zero points; the output keeps its name."""
    fixed, accounts = apply_fixes(model_of(TEXT, WEIGHT), [REMOVE])
    x = np.array([[0.3, -0.7]], np.float32)
    weights = np.array([[0.1, 2, 0.9], [0.4, -1, -1.8]], np.float32)

    np.testing.assert_allclose(x @ weights, outputs_of(fixed, {"x": x})["y"], rtol=1e-6)
    assert ["MatMul", "Identity"] == [node.op_type for node in fixed.graph.node]
    assert "remove_qdq: 2 pairs dropped, 1 constants dequantized" == accounts.fixes[0].remarks[0]
    assert "remove_qdq: `y` moved by" in accounts.fixes[0].remarks[1]


def test_pairs_in_a_row_go_together():
    """Readers of the last one read what the first one read."""
    graph = graph_of(
        """g (float[N] x) => (float[N] y) <float s = {0.5}, int8 z = {0}> {
        q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)
        r = QuantizeLinear(d, s, z)  e = DequantizeLinear(r, s, z)  y = Relu(e) }"""
    )
    REMOVE.apply(graph)

    assert "x" == graph.nodes[-1].inputs[0].name


def test_integers_that_others_read_stay():
    """With the reason on both sides."""
    graph = graph_of(
        """g (float[N] x, int8[N] i) => (float[N] y, float[N] u) <float s = {0.5}, int8 z = {0}> {
        q = QuantizeLinear(x, s, z)  n = Identity(q)
        y = DequantizeLinear(n, s, z)  u = DequantizeLinear(i, s, z) }"""
    )
    log = REMOVE.apply(graph)

    assert [] == log.changes
    assert {
        "its integers come from Identity",
        "its integers come from the outside",
        "other operators read its integers, or nothing does",
    } == set(log.reasons)
