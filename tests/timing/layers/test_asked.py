"""What Q/DQ pairs ask of a model's nodes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from ml_dtypes import float8_e4m3fn

from tests.helpers.models import model_of
from trtbuild.timing.layers.asked import AskedLayers, read_asked

QDQ = """
g (float[n,4] x) => (float[n,4] y) {
  qx = QuantizeLinear(x, s, z)        dx = DequantizeLinear(qx, s, z)
  dw = DequantizeLinear(w, s, z)
  a = MatMul(dx, dw)                  r = Relu(a)
  qr = QuantizeLinear(r, s, z)        dr = DequantizeLinear(qr, s, z)
  t = Softmax(dr)                     u = MatMul(t, f)
  qu = QuantizeLinear(u, s, z)        du = DequantizeLinear(qu, s, z)
  v = Transpose(du)                   b = Transpose(v)
  y = MatMul(b, dw)
}
"""
WEIGHTS = {
    "s": np.float32(0.1),
    "z": np.int8(0),
    "w": np.ones((4, 4), np.int8),
    "f": np.ones((4, 4), np.float32),
}


@pytest.fixture
def asked(tmp_path):
    """A layer may be called after a node, or after what it makes."""
    model = model_of(QDQ, WEIGHTS)
    for node in model.graph.node:
        node.name = "" if node.output[0] == "u" else f"node {node.output[0]}"
    onnx.save(model, tmp_path / "m.onnx")
    return read_asked(tmp_path / "m.onnx")


def test_a_layer_is_asked_to_be_int8_where_both_its_operands_are(asked):
    """Moved or not; a weight in float is none."""
    assert {
        "node a": "int8", "a": "int8", "u": "float", "node y": "int8", "y": "int8",
    } == asked.precision  # fmt: skip


def test_fp8_is_asked_as_such(tmp_path):
    """By the type of its numbers."""
    eight = np.zeros((), float8_e4m3fn)
    model = model_of(QDQ, WEIGHTS | {"z": eight, "w": np.ones((4, 4), float8_e4m3fn)})
    onnx.save(model, tmp_path / "m.onnx")
    found = read_asked(tmp_path / "m.onnx")

    assert ("fp8", ("fp8",)) == (found.precision["a"], found.types)


def test_what_stands_between_int8_tensors_is_known(asked):
    """From one to the other through floats alone; not what ends in the model's output."""
    assert {"a", "r", "t", "u", "node a", "node r", "node t"} == asked.between


def test_a_float_model_asks_nothing(tmp_path):
    """Of any layer."""
    onnx.save(model_of("g (float[n,4] x) => (float[n,4] y) { y = Relu(x) }"), tmp_path / "f.onnx")

    assert AskedLayers() == read_asked(tmp_path / "f.onnx")
