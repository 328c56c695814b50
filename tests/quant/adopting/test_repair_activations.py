"""Activations that TensorRT would misread, repaired without changing what they say."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.adopting import W, adopted, dense, repairs_of, y_of
from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal
from trtbuild.quant.adopting.repair_activations import compute_bounds, compute_symmetric_scale
from trtbuild.quant.quantized_graph import LinearNode


@pytest.mark.parametrize(
    ("low", "high", "scale", "zero", "dtype"),
    [
        (-64.0, 63.5, 0.5, 0, "int8"),
        (-64.0, 63.5, 0.5, 128, "uint8"),
        (0.0, 127.5, 127.5 / 127, 0, "uint8"),
        (-50.0, 77.5, 77.5 / 127, -28, "int8"),
    ],
)
def test_integers_span_what_their_zero_point_says(low, high, scale, zero, dtype):
    """Of steps of 0.5; int8 around 0 spans as much, and is the same where it says the same."""
    half, at = np.array(0.5, np.float32), np.array(zero)
    linear = LinearNode(index=0, name="q", scale=half, zero=at, dtype=dtype, axis=1)

    assert (low, high) == compute_bounds(linear)
    assert scale == compute_symmetric_scale(linear)


def test_a_scale_of_one_element_becomes_a_scalar():
    """TensorRT-RTX would compute in float, silently."""
    model = dense(x_scale="float[1] xs = {0.5}", zero="int8[1] xz = {0}")
    found = adopted(model)

    assert ["scalar_scale"] == repairs_of(found)
    assert y_of(model).tolist() == y_of(found.model).tolist()
    node = found.model.graph.node[0]
    shapes = {tensor.name: tuple(tensor.dims) for tensor in found.model.graph.initializer}
    assert [(), ()] == [shapes[name] for name in node.input[1:]]


def test_uint8_around_128_is_int8():
    """The same values, bit for bit."""
    model = dense(zero="uint8 xz = {128}")
    found = adopted(model)

    assert ["recode_int8"] == repairs_of(found)
    assert y_of(model).tolist() == y_of(found.model).tolist()


@pytest.mark.parametrize(
    ("zero", "low", "high"),
    [
        ("uint8 xz = {0}", 0.0, 127.5),
        ("uint8 xz = {200}", -100.0, 27.5),
        ("int8 xz = {-28}", -50.0, 77.5),
    ],
)
def test_a_range_off_centre_becomes_symmetric(zero, low, high):
    """255 steps of 0.5: the end farther from 0 decides on the scale, and both still cut off."""
    model = dense(zero=zero)
    found = adopted(model)

    assert ["make_symmetric"] == repairs_of(found)
    assert (low, high) == (found.ranges.tensors["x"].low, found.ranges.tensors["x"].high)
    scale = max(-low, high) / 127
    assert scale == pytest.approx(found.account.tensors[0].scale)
    x = np.array([[-1000, 1000, 0]], np.float32)
    rounded = np.round(np.array([low, high, 0]) / scale) * scale
    expected = rounded @ (W * [[0.5], [0.25]]).T + [1, 2]
    assert expected == pytest.approx(outputs_of(found.model, {"x": x})["y"][0], rel=1e-5)


def test_a_relu_cuts_off_nothing_above():
    """Its result is cut off at 27.5 by the integers, and stays so under a scale of 100/127."""
    model = model_of("""g (float[N,3] x) => (float[N,3] y) <float s = {0.5}, uint8 z = {200}> {
        r = Relu(x)  q = QuantizeLinear(r, s, z)  y = DequantizeLinear(q, s, z)
    }""")
    x = np.array([[-5, 5, 50]], np.float32)

    found = outputs_of(adopted(model).model, {"x": x})["y"][0]
    assert np.array([0, 6, 35]) * 100 / 127 == pytest.approx(found)


def test_what_a_relu_cut_off_need_not_be_cut_off_again():
    """Its result is not negative."""
    model = model_of("""g (float[N,3] x) => (float[N,3] y) <float s = {0.5}, uint8 z = {0}> {
        r = Relu(x)  q = QuantizeLinear(r, s, z)  y = DequantizeLinear(q, s, z)
    }""")

    assert ["Relu", "QuantizeLinear", "DequantizeLinear"] == [
        node.op_type for node in adopted(model).model.graph.node
    ]


def test_a_missing_zero_point_means_uint8():
    """ONNX says so, while TensorRT would take it for int8: the range is kept, symmetrically."""
    model = dense()
    for node in model.graph.node[:2]:
        del node.input[2]
    found = adopted(model)

    assert ["make_symmetric"] == repairs_of(found)
    assert 127.5 == pytest.approx(found.ranges.tensors["x"].limit)


def test_integers_may_be_moved_between_the_ends():
    """A pooling declared on uint8 becomes one on int8."""
    model = model_of(
        """<ir_version: 8, opset_import: ["" : 17]>
        g (float[1,1,2,2] x) => (float[1,1,1,1] y)
        <float s = {0.5}, uint8 z = {128}, uint8[1,1,2,2] q, uint8[1,1,1,1] m> {
            q = QuantizeLinear(x, s, z)  m = MaxPool<kernel_shape=[2,2]>(q)
            y = DequantizeLinear(m, s, z)
        }"""
    )
    feed = {"x": normal(1, 1, 2, 2)}

    assert outputs_of(model, feed)["y"] == outputs_of(adopted(model).model, feed)["y"]
