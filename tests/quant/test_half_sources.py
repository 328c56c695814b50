"""A model that is 16-bit when it comes gets INT8 like any other, and stays 16-bit beside it."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal, observed, ranges_of, seeded, sqnr_db
from tests.quant.half.test_half import NETS, net, types_of
from tests.quant.test_half_delivered import delivered
from trtbuild.model.opset import read_opset
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import (
    HalfSettings,
    convert_to_half,
    make_float_account,
    raise_opset_for_half,
)
from trtbuild.quant.half.half import halve
from trtbuild.quant.placing.policy import list_candidates, list_floating

# Polygraphy sets a timing cache whatever the builder; TensorRT-RTX calls that deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*Timing cache operations are no-ops:DeprecationWarning"
)


def half_net(name, half="fp16"):
    """Return a net all in 16 bits, and a feed for it."""
    model, feed = net(name)
    model, _ = raise_opset_for_half(model, half, quantized=False)
    halve(model, half, largest={}, keep_io_types=False)
    return model, {key: values.astype(np.float16) for key, values in feed.items()}


@pytest.mark.parametrize("name", NETS)
def test_a_float16_model_is_quantized(name, tmp_path):
    """Every layer, near enough to what it was, and delivered."""
    model, feed = half_net(name)
    exact = outputs_of(model, feed)["y"]
    found = quantize_model(copy.deepcopy(model), ranges=observed(model, feed))

    assert {"int8"} == {layer.precision for layer in found.account.layers}
    assert sqnr_db(exact, outputs_of(found.model, feed)["y"]) > 25
    kinds = delivered(found.model, tmp_path, feed["x"].shape, found.account.layers)
    assert {("int8", "int8")} == set(kinds.values())


def test_pairs_of_float16_tensors_have_float16_scales():
    """TensorRT wants both in one type, and ONNX from opset 19 on; a scalar, as for any other."""
    model, feed = half_net("residual")
    found = quantize_model(model, ranges=observed(model, feed))
    types = types_of(found.model)
    pairs = [n for n in found.model.graph.node if n.op_type.endswith("quantizeLinear")]
    pairs += [n for n in found.model.graph.node if n.op_type == "QuantizeLinear"]

    assert 19 == read_opset(found.model)
    assert {"float16"} == {types[node.input[1]] for node in pairs}
    assert {"int8"} == {types[node.input[2]] for node in pairs}
    assert "opset raised from 17 to 19: fp16 behind Q/DQ needs it" in found.account.remarks


MIXED = """g (float[N,4] x) => (float[N,4] y) {
    [wide] a = MatMul(x, w)  b = Cast<to=10>(a)  [narrow] c = MatMul(b, h)
    d = Cast<to=1>(c)  [left] y = MatMul(d, w)
}"""


def mixed():
    model = seeded(MIXED, w=(4, 4), h=(4, 4))
    tensor = model.graph.initializer[1]
    values = onnx.numpy_helper.to_array(tensor).astype(np.float16)
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, "h"))
    return model


def test_in_a_mixed_model_each_pair_has_the_type_of_its_tensor():
    """A converter leaves some layers in float32 by a list."""
    found = quantize_model(mixed(), ranges=ranges_of(x=1.0, b=1.0, d=1.0))
    types = types_of(found.model)

    assert ["float", "float16", "float", "float", "float16"] == [
        types[name] for name in ("x_scale", "b_scale", "d_scale", "w_scale", "h_scale")
    ]


@pytest.mark.parametrize(
    ("half", "expected"), [("fp16", ["fp16", "fp16"]), ("bf16", ["bf16", "fp16"])]
)
def test_what_is_float32_beside_it_becomes_what_the_recipe_asks(half, expected):
    """And what is 16-bit already stays what it is."""
    model, _ = raise_opset_for_half(mixed(), half, quantized=False)
    account = convert_to_half(model, make_float_account(model), HalfSettings(half))
    types = types_of(model)

    assert expected == [layer.precision for layer in account.layers][:2]
    assert "float16" == types["h"]


def test_int8_and_the_rest_of_a_mixed_model_go_together():
    """Pairs of float32 tensors follow what is asked, those of float16 are there already."""
    found = quantize_model(
        mixed(), ranges=ranges_of(x=1.0, b=1.0, d=1.0), high=HalfSettings("fp16")
    )
    types = types_of(found.model)

    assert {"float16"} == {
        types[node.output[0]] for node in found.model.graph.node if node.op_type == "MatMul"
    }


def test_a_layer_left_float_is_in_its_own_type():
    """The account says fp16, and not fp32; the engine is held to it."""
    found = quantize_model(mixed(), ranges=ranges_of(x=1.0))
    layers = {layer.name: (layer.precision, layer.reason) for layer in found.account.layers}

    assert {
        "wide": ("int8", ""),
        "narrow": ("fp16", "there is no range for `b`"),
        "left": ("fp32", "there is no range for `d`"),
    } == layers


def test_a_scale_that_float16_cannot_hold_leaves_its_layer_float():
    """2**-30 / 127 is far below the least float16; in float32 it is a scale."""
    found = quantize_model(mixed(), ranges=ranges_of(x=2.0**-30, b=2.0**-30, d=1.0))
    layers = {layer.name: layer.reason for layer in found.account.layers}

    assert ["", "the range of `b` is too small for a scale in fp16 (limit 9.31323e-10)", ""] == [
        *layers.values()
    ]


def test_scales_are_rounded_up():
    """The largest value stays what it is: 1 / 127 has no float16, and the next is larger."""
    found = quantize_model(mixed(), ranges=ranges_of(b=1.0))
    [tensor] = found.account.tensors
    stored = next(each for each in found.model.graph.initializer if each.name == "b_scale")

    assert tensor.scale == onnx.numpy_helper.to_array(stored)
    assert 1 / 127 <= tensor.scale < 1 / 127 * (1 + 2**-10)


@pytest.mark.parametrize("name", NETS)
def test_a_bfloat16_model_is_quantized_by_ranges_that_are_given(name, tmp_path):
    """ONNX Runtime cannot calibrate it; a cache, a file or the recipe may."""
    model, _ = half_net(name, "bf16")
    ranges = ranges_of(**dict.fromkeys(list_candidates(model), 4.0))
    found = quantize_model(model, ranges=ranges)

    assert 22 == read_opset(found.model)
    shape = NETS[name][2]
    kinds = delivered(found.model, tmp_path, shape, found.account.layers)
    assert {("int8", "int8")} == set(kinds.values())


def test_ranges_by_tensorrt_are_wanted_of_float16_too():
    """Implicit quantization may use any of them."""
    assert ["x", "a", "b", "c", "d", "y"] == list_floating(mixed())


QUANTIZED = """<ir_version: 9, opset_import: ["" : 19]>
g (float16[N,3] x) => (float16[N,2] y) <int8 z = {0}, int8[2] wz = {0, 0}> {
    q = QuantizeLinear(x, xs, z)  d = DequantizeLinear(q, xs, z)
    w = DequantizeLinear<axis=0>(wq, ws, wz)  [fc] y = Gemm<transB=1>(d, w)
}"""


def test_a_range_by_hand_for_a_model_that_is_quantized_in_float16():
    """Rounded up to what the scale's own type can hold."""
    weights = {
        "xs": np.array(0.5, np.float16),
        "wq": np.ones((2, 3), np.int8),
        "ws": np.array([0.5, 0.25], np.float16),
    }
    found = quantize_model(model_of(QUANTIZED, weights), ranges=ranges_of(), manual={"x": (-1, 1)})
    [tensor] = found.account.tensors
    stored = next(each for each in found.model.graph.initializer if each.name == "x_scale")

    assert tensor.scale == onnx.numpy_helper.to_array(stored)
    assert 1 / 127 <= tensor.scale < 1 / 127 * (1 + 2**-10)
    assert np.isfinite(outputs_of(found.model, {"x": normal(2, 3).astype(np.float16)})["y"]).all()
