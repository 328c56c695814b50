"""What a backend reads of an ONNX model."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from trtbuild.backends.model import OnnxModel
from trtbuild.core.records import RequestedLayer


@pytest.mark.parametrize(
    ("options", "precision"),
    [({}, "int8"), ({"pairs": "x"}, "fp32"), ({"pairs": "w"}, "fp32"), ({"pairs": ""}, "fp32")],
)
def test_a_layer_is_int8_where_both_operands_are(options, precision):
    """One quantized operand alone is arithmetic in float."""
    assert (RequestedLayer(name="layer", op="Conv", precision=precision),) == OnnxModel(
        layer(**options)
    ).list_requests()


def test_a_layer_with_half_weights_asks_for_half():
    """What is not quantized is asked for as it is."""
    text = """m (float16[1, 4] x) => (float16[1, 2] y)
        <float16[4, 2] w = {1, 2, 3, 4, 5, 6, 7, 8}> { [a] y = MatMul(x, w) }"""

    assert (RequestedLayer(name="a", op="MatMul", precision="fp16"),) == OnnxModel(
        model_of(text)
    ).list_requests()


def test_layers_in_bodies_are_found():
    """A Conv within an If is a weighted layer too; a nameless node goes by its output's name."""
    text = """m (float[1, 2] x, bool c) => (float[1, 2] y) <float[2, 2] w = {1, 2, 3, 4}> {
        y = If(c) <
            then_branch = t () => (float[1, 2] a) { a = MatMul(x, w) },
            else_branch = e () => (float[1, 2] b) { [named] b = MatMul(x, w) }
        >
    }"""

    assert ["a", "named"] == [each.name for each in OnnxModel(model_of(text)).list_requests()]


def test_constants_are_followed_through_operators():
    """A scale that is reshaped from a Constant is a constant; one made from an input is not."""
    text = """m (float[1, 4] x, float s) => (float[1, 4] y, float[1, 4] n)
        <int8 z = {0}, int64[1] one = {1}> {
        c = Constant<value_float = 0.1>()
        k = Cast<to = 1>(c)
        [good] q = QuantizeLinear(x, k, z)
        y = DequantizeLinear(q, k, z)
        h = Identity(s)
        [bad] p = QuantizeLinear(x, h, z)
        n = DequantizeLinear(p, k, z)
    }"""

    assert ["bad"] == [node.name for node in OnnxModel(model_of(text)).computed_scales()]
