"""symmetrize_qdq: int8 without zero points, and what that costs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import graph_of, model_of, outputs_of
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.symmetrize_qdq import SymmetrizeQdq

SYMMETRIZE = SymmetrizeQdq(kind="symmetrize_qdq")
PAIR = """g (float[N] x) => (float[N] y) <float s = {1}, TYPE z = {ZERO}> {
    [q] i = QuantizeLinear(x, s, z)  [d] d = DequantizeLinear(i, s, z)  y = Relu(d) }"""


def pair(dtype, zero):
    return graph_of(PAIR.replace("TYPE", dtype).replace("ZERO", str(zero)))


def constants_of(graph, name):
    node = next(node for node in graph.nodes if node.name == name)
    return [each.values for each in node.inputs[1:]]


@pytest.mark.parametrize(
    ("dtype", "zero", "step"),
    [
        ("uint8", 128, 1.0),
        ("uint8", 0, 255 / 127),
        ("int8", 27, 155 / 127),
        ("int8", -128, 255 / 127),
    ],
)
def test_a_range_becomes_its_larger_half_twice(dtype, zero, step):
    """Both nodes of the pair; uint8 around 128 only moves."""
    graph = pair(dtype, zero)
    log = SYMMETRIZE.apply(graph)

    for name in ("q", "d"):
        scale, zeros = constants_of(graph, name)
        assert (step, "int8", 0) == (pytest.approx(scale), zeros.dtype, int(zeros))
    assert [f"q: its step is {step:.3g} times as large"] == log.changes
    assert [] == SYMMETRIZE.apply(graph).changes


def test_what_is_symmetric_stays():
    """And needs no reason."""
    log = SYMMETRIZE.apply(pair("int8", 0))

    assert ([], []) == (log.changes, log.lefts)


WEIGHTS = """g (float[N, 2] x) => (float[N, 3] y)
    <float[3] s = {0.1, 0.2, 0.3}, uint8[3] z = {ZEROS}> {
    [d] w = DequantizeLinear<axis = 1>(i, s, z)  y = MatMul(x, w) }"""


@pytest.mark.parametrize(("zeros", "most"), [("128, 128, 128", 0), ("0, 10, 255", 0.004)])
def test_weights_are_rounded_anew_by_channel(zeros, most):
    """Exactly where they only move; else to half a step of their channel."""
    values = {"i": np.array([[0, 200, 3], [255, 5, 128]], np.uint8)}
    model = model_of(WEIGHTS.replace("ZEROS", zeros), values)
    feed = {"x": np.array([[1, 0], [0, 1]], np.float32)}
    before = outputs_of(model, feed)["y"]
    fixed, accounts = apply_fixes(model, [SYMMETRIZE])
    after = outputs_of(fixed, feed)["y"]

    assert np.abs(after - before).max() <= most * np.abs(before).max() + 1e-6
    assert accounts.fixes[0].changed[0].startswith("d: its weights are off by")


def test_other_types_stay_with_the_reason():
    """TensorRT has no 16-bit pairs; they are for somebody to decide."""
    text = PAIR.replace("TYPE", "uint16").replace("ZERO", "9")
    graph = graph_of('<ir_version: 10, opset_import: ["" : 21]>' + text)
    log = SYMMETRIZE.apply(graph)

    assert {"it is uint16"} == set(log.reasons)
