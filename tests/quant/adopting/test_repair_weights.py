"""Weights and biases as they were stored, in a form that TensorRT takes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.adopting import W, adopted, dense, repairs_of, y_of
from tests.helpers.models import model_of
from tests.helpers.quant import seeded, sqnr_db
from trtbuild.core.errors import StepInputError


def test_an_int32_bias_is_float_again():
    """200 steps of 0.25 are 50."""
    model = seeded(
        """g (float[N,3] x) => (float[N,2] y)
        <float xs = {0.5}, int8 xz = {0}, int32[2] bq = {200, -4}, float bs = {0.25}> {
            q = QuantizeLinear(x, xs, xz)  d = DequantizeLinear(q, xs, xz)
            qw = QuantizeLinear(w, xs, xz)  dw = DequantizeLinear(qw, xs, xz)
            [bias] b = DequantizeLinear(bq, bs)  [fc] y = Gemm<transB=1>(d, dw, b)
        }""",
        w=(2, 3),
    )
    found = adopted(model)

    assert ["fold_bias"] == repairs_of(found)
    bias = {t.name: t for t in found.model.graph.initializer}["bq_float"]
    assert [50.0, -1.0] == onnx.numpy_helper.to_array(bias).tolist()
    assert "bias" not in {node.name for node in found.model.graph.node}
    assert y_of(model).tolist() == y_of(found.model).tolist()


def test_a_weight_scaled_along_its_inputs_is_rounded_anew():
    """Along axis 1, three scales: TensorRT-RTX would compute the whole Gemm in float."""
    model = dense(axis=1, ws=np.array([0.5, 1, 0.25], np.float32), wz=np.zeros(3, np.int8))
    found = adopted(model)

    assert ["requantize_weight"] == repairs_of(found)
    assert [("int8", "")] == [(each.precision, each.reason) for each in found.account.layers]
    assert [0] == [each.axis for each in found.account.weights]
    assert sqnr_db(y_of(model), y_of(found.model)) > 35


def test_an_axis_may_be_counted_from_the_end():
    """-2 of two is the first."""
    found = adopted(dense(axis=-2))

    assert [] == repairs_of(found)
    assert [0] == [each.axis for each in found.account.weights]


def test_a_weight_scale_of_zero_becomes_one():
    """The channel is zeros, and stays zeros."""
    model = dense(ws=np.array([0.5, 0], np.float32))
    found = adopted(model)

    assert ["requantize_weight"] == repairs_of(found)
    assert sqnr_db(y_of(model), y_of(found.model)) > 35
    assert (y_of(found.model)[:, 1] == 2).all()


@pytest.mark.parametrize(
    ("value", "zero"),
    [
        (np.int8(60), np.int8(0)),
        (np.int8(60), np.int8(-40)),
        (np.array([2, 4, 8], np.uint8), np.uint8(0)),
    ],
)
def test_a_constant_that_is_no_weight_is_float_again(value, zero):
    """TensorRT takes no integer scalar; a factor is exact in floats."""
    model = model_of(
        """g (float[N,3] x) => (float[N,3] y) <float s = {0.5}> {
            f = DequantizeLinear(q, s, z)  y = Mul(x, f)
        }""",
        {"q": np.array(value), "z": np.array(zero)},
    )
    found = adopted(model)

    assert ["fold_constant"] == repairs_of(found)
    assert ["Mul"] == [node.op_type for node in found.model.graph.node]
    assert y_of(model).tolist() == y_of(found.model).tolist()


@pytest.mark.parametrize(
    "weights",
    [
        {"wq": W.view(np.uint8), "wz": np.full(2, 100, np.uint8)},
        {"wq": W.view(np.uint8), "wz": np.uint8(128), "ws": np.float32(0.5)},
        {"wz": np.array([1, -7], np.int8)},
    ],
)
def test_a_weight_with_zero_points_is_written_around_0(weights):
    """Where int8 has all of its values, they are the same, bit for bit."""
    model = dense(**weights)
    found = adopted(model)

    assert ["recode_weight"] == repairs_of(found)
    assert y_of(model).tolist() == y_of(found.model).tolist()


def quantized_floats(scale, zero):
    """Return a Gemm whose float weight, of up to 1, goes through a Q/DQ pair."""
    return model_of(
        """g (float[N,3] x) => (float[N,2] y) <float xs = {0.5}, int8 xz = {0}> {
            [xq] q = QuantizeLinear(x, xs, xz)  [xd] d = DequantizeLinear(q, xs, xz)
            [wq] v = QuantizeLinear<axis=0>(w, ws, wz)  [wd] u = DequantizeLinear<axis=0>(v, ws, wz)
            [fc] y = Gemm<transB=1>(d, u)
        }""",
        {"w": np.array([[1, -0.25, 0.5], [0.1, 0.2, 0.3]], np.float32), "ws": scale, "wz": zero},
    )


def test_what_training_cut_off_a_weight_stays_cut_off():
    """A weight of 1 behind a scale of 0.5 / 127 is 0.5, with whatever zero point."""
    model = quantized_floats(np.full(2, 0.5 / 127, np.float32), np.zeros(2, np.int8))
    turned = quantized_floats(np.full(2, 1 / 255, np.float32), np.full(2, 128, np.uint8))

    assert [] == repairs_of(adopted(model))
    found = adopted(turned)
    assert ["recode_weight"] == repairs_of(found)
    assert y_of(turned).tolist() == y_of(found.model).tolist()
    far = quantized_floats(np.full(2, 0.5 / 127, np.float32), np.full(2, -60, np.int8))
    found = adopted(far)
    assert ["requantize_weight"] == repairs_of(found)
    assert sqnr_db(y_of(far), y_of(found.model)) > 35


def test_a_weight_whose_pair_disagrees_is_refused():
    """As an activation is."""
    model = quantized_floats(np.full(2, 0.5, np.float32), np.zeros(2, np.int8))
    model.graph.initializer.add().CopyFrom(
        onnx.numpy_helper.from_array(np.full(2, 0.25, np.float32), "other")
    )
    model.graph.node[3].input[1] = "other"

    with pytest.raises(StepInputError, match="ends of a pair must agree"):
        adopted(model)


def test_a_weight_with_zero_points_beyond_int8_is_rounded_anew():
    """uint8 around 100, up to 255."""
    model = dense(wq=np.maximum(W.view(np.uint8), 255), wz=np.full(2, 100, np.uint8))
    found = adopted(model)

    assert ["requantize_weight"] == repairs_of(found)
    assert sqnr_db(y_of(model), y_of(found.model)) > 35
