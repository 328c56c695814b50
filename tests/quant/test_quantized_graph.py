"""The pairs that a model brings along, as they are read."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.model.view import GraphView
from trtbuild.quant.quantized_graph import (
    find_stored_constants,
    find_streams,
    is_quantized,
    read_linear,
    read_linears,
)

POOLED = """
g (float[1,2,4,4] x) => (float[1,2,2,2] y, float[1,2,4,4] z) <float s = {0.5}, int8 o = {0}> {
    [q] a = QuantizeLinear(x, s, o)
    m = MaxPool<kernel_shape=[2,2], strides=[2,2]>(a)
    [pooled] y = DequantizeLinear(m, s, o)
    [direct] z = DequantizeLinear(a, s, o)
}"""


def test_a_stream_goes_from_its_maker_to_all_its_ends():
    """Through operators that hand integers on; `x` is what was quantized."""
    view = GraphView(model_of(POOLED))
    (stream,) = find_streams(view, read_linears(view))

    assert ("x", ("a", "m")) == (stream.tensor, stream.integers)
    assert ["q", "direct", "pooled"] == [
        stream.linears[0].name,
        *sorted(each.name for each in stream.dequantizers),
    ]


def test_integers_from_outside_have_no_maker():
    """The stream is called after what is made of them."""
    text = "g (int8[2] q) => (float[2] y) <float s = {0.5}> { [d] y = DequantizeLinear(q, s) }"
    view = GraphView(model_of(text))
    (stream,) = find_streams(view, read_linears(view))

    assert ("y", None, ["d"]) == (
        stream.tensor,
        stream.quantizer,
        [each.name for each in stream.linears],
    )


@pytest.mark.parametrize(
    ("tensor", "pair", "text"),
    [
        ("i", False, "w = DequantizeLinear(i, s, o)"),
        ("i", False, "j = Identity(i)  w = DequantizeLinear(j, s, o)"),
        ("v", True, "i2 = QuantizeLinear(v, s, o)  w = DequantizeLinear(i2, s, o)"),
    ],
)
def test_a_constant_is_no_stream(tensor, pair, text):
    """Integers that are stored, or floats behind a pair, are found under the constant's name."""
    view = GraphView(
        model_of(
            f"""g (float[2,2] x) => (float[2,2] y) <float s = {{0.5}}, int8 o = {{0}}>
            {{ {text}  y = MatMul(x, w) }}""",
            {"i": np.ones((2, 2), np.int8), "v": np.ones((2, 2), np.float32)},
        )
    )
    linears = read_linears(view)
    (stored,) = find_stored_constants(view, linears)

    assert (tensor, pair) == (stored.tensor, stored.quantizer is not None)
    assert [] == list(find_streams(view, linears))


@pytest.mark.parametrize(("expected", "axis"), [(1, ""), (2, "<axis=2>"), (2, "<axis=-2>")])
def test_an_axis_is_counted_from_the_front(expected, axis):
    """ONNX's own is 1, and it may be written from the end."""
    text = f"""g (float[2,2,2,2] x) => (int8[2,2,2,2] y)
        <float[2] s = {{0.5, 0.25}}, int8[2] o = {{0, 3}}> {{
            y = QuantizeLinear{axis}(x, s, o) }}"""
    found = read_linear(GraphView(model_of(text)), 0)

    assert expected == found.axis
    assert ([0.5, 0.25], [0, 3]) == (found.scale.tolist(), found.zero.tolist())
    assert not found.symmetric


@pytest.mark.parametrize(
    ("expected", "node"),
    [
        ("uint8", "QuantizeLinear(x, s)"),
        ("int8", "QuantizeLinear(x, s, o)"),
        ("int8", "QuantizeLinear<output_dtype=3>(x, s)"),
    ],
)
def test_the_type_of_integers_is_what_onnx_says(expected, node):
    """Without a zero point uint8, which TensorRT takes for int8; or the attribute of opset 21."""
    text = f"""<ir_version: 10, opset_import: ["" : 21]>
        g (float[2] x) => ({expected}[2] y) <float s = {{0.5}}, int8 o = {{0}}> {{ y = {node} }}"""

    assert expected == read_linear(GraphView(model_of(text)), 0).dtype


@pytest.mark.parametrize("slot", [1, 2])
def test_a_parameter_that_is_computed_is_named(slot):
    """TensorRT wants constants."""
    names = ["x", "s", "o"]
    names[slot] = {1: "t", 2: "p"}[slot]
    text = f"""g (float[2] x, float t, int8 p) => (int8[2] y) <float s = {{0.5}}, int8 o = {{0}}> {{
        [q] y = QuantizeLinear({", ".join(names)}) }}"""

    with pytest.raises(StepInputError, match=f"`{names[slot]}` of QuantizeLinear `q` is computed"):
        read_linear(GraphView(model_of(text)), 0)


def test_a_float_model_is_not_quantized():
    """One with a pair is."""
    assert not is_quantized(GraphView(model_of("g (float[2] x) => (float[2] y) { y = Relu(x) }")))
    assert is_quantized(GraphView(model_of(POOLED)))
