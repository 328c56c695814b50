"""How weighted nodes read their operands."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.model.view import GraphView
from trtbuild.quant.layers import find_float_type, read_layers


def view_of(text, weights=None):
    return GraphView(model_of(text, weights))


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("activations", "slot", "axis", "node", "shape"),
    [
        ((0,), 1, 0, "Conv<kernel_shape=[1,1]>(x, w)", (5, 4, 1, 1)),
        ((0,), 1, 1, "ConvTranspose<kernel_shape=[1,1]>(x, w)", (4, 5, 1, 1)),
        ((0,), 1, 3, "MatMul(x, w)", (2, 4, 4, 5)),
        ((0,), 1, 1, "MatMul(x, w)", (4, 5)),
        ((1,), 0, 0, "MatMul(w, x)", (5, 4)),
        ((0,), 1, 0, "Gemm<transB=1>(f, w)", (5, 64)),
        ((0,), 1, 1, "Gemm(f, w)", (64, 5)),
        ((1,), 0, 0, "Gemm(w, f)", (5, 2)),
    ],
)
def test_a_weight_has_its_slot_and_output_channels(activations, slot, axis, node, shape):
    """Whichever operand it is, and however it is turned."""
    text = f"g (float[2,4,4,4] x) => (float y) {{ f = Flatten(x)  [n] y = {node} }}"
    model = model_of(text.replace("float y", "float[A,B] y"), {"w": zeros(*shape)})
    (found,) = read_layers(GraphView(model))

    assert ("n", "", activations) == (found.name, found.reason, found.activations)
    assert (slot, axis) == (found.weight.slot, found.weight.axis)


def test_two_activations_are_both_operands():
    """As in an attention: there is no weight."""
    (found,) = read_layers(view_of("g (float[2,3,3] x) => (float[2,3,3] y) { y = MatMul(x, x) }"))

    assert ((0, 1), None, "") == (found.activations, found.weight, found.reason)


@pytest.mark.parametrize(
    ("reason", "text", "weight"),
    [
        (
            "its weight is not constant",
            "g (float[1,1,4,4] x, float[1,1,1,1] v) => (float[1,1,4,4] y) { y = Conv(x, v) }",
            None,
        ),
        (
            "its weight is a vector",
            "g (float[2,3] x) => (float[2] y) { y = MatMul(x, w) }",
            zeros(3),
        ),
        (
            "its weight is empty",
            "g (float[2,3] x) => (float[2,0] y) { y = MatMul(x, w) }",
            zeros(3, 0),
        ),
        (
            "its input is a vector or a scalar",
            "g (float[3] x) => (float[2] y) { y = MatMul(x, w) }",
            zeros(3, 2),
        ),
        (
            "its weight is double, and only float32, float16 and bfloat16 are quantized",
            "g (double[2,3] x) => (double[2,2] y) { y = MatMul(x, w) }",
            zeros(3, 2, dtype=np.float64),
        ),
        (
            "`x` is int32, and only floats are quantized",
            "g (int32[2,2] x) => (int32[2,2] y) { y = MatMul(x, x) }",
            None,
        ),
    ],
)
def test_what_cannot_be_int8_says_why(reason, text, weight):
    """Whatever the recipe asks for."""
    (found,) = read_layers(view_of(text, {} if weight is None else {"w": weight}))

    assert (reason, ()) == (found.reason, found.activations)


def test_nodes_of_other_domains_are_nobody_s_layers():
    """A `MatMul` of a plugin's own multiplies what it likes."""
    view = view_of(
        '<ir_version: 8, opset_import: ["" : 17, "mine" : 1]> '
        "g (float[2,2] x) => (float[2,2] y) { a = mine.MatMul(x, x)  y = Relu(a) }"
    )

    assert [] == read_layers(view)


@pytest.mark.parametrize(
    ("expected", "kind"), [("fp32", "float"), ("fp16", "float16"), ("bf16", "bfloat16")]
)
def test_a_layer_computes_in_the_type_of_its_operands(expected, kind):
    """Where it is not INT8."""
    view = view_of(f"g ({kind}[2,2] x) => ({kind}[2,2] y) {{ y = MatMul(x, x) }}")

    assert expected == find_float_type(view, 0)
