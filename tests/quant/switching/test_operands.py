"""What operands of a float model read in what quantization made of it."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, observed, seeded
from trtbuild.model.view import GraphView
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.switching.operands import read_operands
from trtbuild.quant.switching.switches import find_switches

SHARED = """
g (float[N, 4] x) => (float[N, 4] y, float[N, 4] z) <float[4, 4] w> {
  [first] y = MatMul(x, w)
  [second] z = MatMul(x, w)
}
"""


@pytest.fixture
def both():
    """A float model and the quantized one."""
    model = seeded(SHARED, w=(4, 4))
    made = quantize_model(copy.deepcopy(model), ranges=observed(model, {"x": normal(5, 4)}))
    return model, made.model


def test_activations_and_weights_are_found_where_they_are_read(both):
    """By node and slot; a weight by its integers, an activation by its limit."""
    found = read_operands(*both).found
    largest = np.abs(normal(5, 4)).max()

    assert {(0, 0), (0, 1), (1, 0), (1, 1)} == set(found)
    assert ("x", "") == (found[0, 0].source, found[0, 0].integers)
    assert ("w", True) == (found[1, 1].source, bool(found[1, 1].integers))
    assert largest == pytest.approx(found[0, 0].limit)


def test_a_rewired_model_is_the_quantized_one(both):
    """Bit for bit; what two operands share is made once."""
    model, quantized = both
    rewiring = read_operands(*both).rewire([(0, 0), (0, 1), (1, 0), (1, 1)])
    for (index, slot), name in rewiring.operands.items():
        model.graph.node[index].input[slot] = name
    nodes = list(model.graph.node)
    del model.graph.node[:]
    for index, node in enumerate(nodes):
        model.graph.node.extend([*rewiring.before.get(index, ()), node])
    for name, values in rewiring.constants.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    feed = {"x": normal(5, 4)}
    expected = outputs_of(quantized, feed)

    assert {0: 2} == {index: len(made) for index, made in rewiring.before.items()}
    for name, values in outputs_of(model, feed).items():
        np.testing.assert_array_equal(expected[name], values)


BIASED = """
g (float[N, 4] x) => (float[N, 4] z) <float[4, 4] w, float[4, 4] v, float[4] b, float[4] c> {
  [first] y = Gemm(x, w, b)
  [second] m = MatMul(y, v)
  [add] z = Add(m, c)
}
"""


def test_a_bias_that_was_fitted_stands_and_falls_with_its_layer():
    """Of a Gemm its own; of a MatMul that of the Add behind it. One that is the same is none."""
    model = seeded(BIASED, w=(4, 4), v=(4, 4), b=(4,), c=(4,))
    ranges = observed(model, {"x": normal(5, 4)})
    quantized = quantize_model(copy.deepcopy(model), ranges=ranges).model
    same = read_operands(model, quantized).found
    for tensor in quantized.graph.initializer:
        if tensor.name in {"b", "c"}:
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.full(4, 7, np.float32), tensor.name))
    operands = read_operands(model, quantized)
    switches = find_switches(GraphView(model), operands.found, {0, 1})
    (fitted,) = operands.rewire([(2, 1)]).constants.values()

    assert {(0, 2), (2, 1)} == set(operands.found) - set(same)
    assert {(0, 2), (2, 1)} <= switches.find_active({0, 1})
    assert (2, 1) in switches.find_active({1}, alone=True)
    assert (0, 2) not in switches.find_active({1}, alone=True)
    assert [7, 7, 7, 7] == fitted.tolist()
