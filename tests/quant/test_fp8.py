"""All of quantization, in FP8: numbers, scales, opset, and what stays as for INT8."""

from __future__ import annotations

import copy
from dataclasses import replace

import ml_dtypes
import numpy as np
import onnx
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, observed, ranges_of, seeded, sqnr_db
from trtbuild.core.quantized_types import FP8, INT8
from trtbuild.model.opset import read_opset
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import HalfSettings
from trtbuild.quant.limits import compute_scale, explain_unusable
from trtbuild.quant.placing.policy import place_pairs
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.quant.writing.weights import WeightsMse, quantize_weight

E4M3 = ml_dtypes.float8_e4m3fn
ASKED = PrecisionRequests(precision={"*": "fp8"})
NET = """g (float[N,8] x) => (float[N,4] y) {
    [one] a = Gemm<transB=1>(x, w1, b1)  r = Relu(a)  [two] y = MatMul(r, w2)
}"""
WEIGHTS = {"w1": (6, 8), "b1": (6,), "w2": (6, 4)}


@pytest.fixture
def net():
    return seeded(NET, **WEIGHTS)


def rounded(values, limit):
    """What FP8 makes of values: an independent statement of QuantizeLinear and back."""
    scale = np.float32(limit) / np.float32(448)
    steps = np.clip(values.astype(np.float32) / scale, -448, 448).astype(E4M3)
    return steps.astype(np.float64) * scale


def rounded_weight(weight, axis):
    return rounded(weight, np.abs(weight).max(axis=1 - axis, keepdims=True))


def test_the_model_computes_what_rounding_its_operands_computes(net):
    """Gemm, Relu and MatMul against NumPy in float64."""
    w = {each.name: onnx.numpy_helper.to_array(each) for each in net.graph.initializer}
    x = normal(64, 8, seed=9)
    ranges = ranges_of(x=2.0, r=1.5)
    found = quantize_model(net, ranges=ranges, into=FP8, requests=ASKED).model

    hidden = rounded(x, 2.0) @ rounded_weight(w["w1"], 0).T + w["b1"]
    expected = rounded(np.maximum(hidden, 0), 1.5) @ rounded_weight(w["w2"], 1)

    # A value on the border of two numbers in float64 may fall to the other in float32.
    off = np.abs(expected - outputs_of(found, {"x": x})["y"])
    assert np.median(off) < 1e-6
    assert off.max() < 0.1


def test_scales_numbers_and_opset_are_those_of_fp8(net):
    """limit / 448, float8e4m3fn, opset 19; every layer is asked for in FP8."""
    found = quantize_model(net, ranges=ranges_of(x=2.0, r=1.5), into=FP8, requests=ASKED)

    held = {each.name: each for each in found.model.graph.initializer}
    kinds = {held[name].data_type for name in ("x_zero_point", "w1_quantized", "w2_zero_point")}
    assert {onnx.TensorProto.FLOAT8E4M3FN} == kinds
    assert {"x": np.float32(2 / 448), "r": np.float32(1.5 / 448)} == {
        each.name: each.scale for each in found.account.tensors
    }
    assert [("one", "fp8"), ("two", "fp8")] == [(x.name, x.precision) for x in found.account.layers]
    assert 19 == read_opset(found.model) == found.account.opset
    assert "opset raised from 17 to 19: FP8 in Q/DQ needs it" in found.account.remarks
    onnx.checker.check_model(found.model, full_check=True)


def test_pairs_stand_where_they_stand_in_int8(net):
    """The same tensors, readers and weights: one table of ranges serves both."""
    ranges = ranges_of(x=2.0, r=1.5)

    one = place_pairs(net, ranges=ranges)
    other = place_pairs(net, ranges=ranges, into=FP8, requests=ASKED)
    assert (one.pairs, one.weights) == tuple(
        tuple(replace(each, into=INT8) for each in found) for found in (other.pairs, other.weights)
    )


@pytest.mark.parametrize(
    ("text", "shapes", "narrow"),
    [
        (
            "y = Conv(x, w)",
            {"x": (1, 3, 4, 4), "w": (16, 3, 1, 1)},
            "3 input channels: FP8 pays from 17 on",
        ),
        (
            "y = Conv<group=16>(x, w)",
            {"x": (1, 16, 4, 4), "w": (16, 1, 1, 1)},
            "1 input channel: FP8 pays from 17 on",
        ),
        (
            "y = MatMul(x, w)",
            {"x": (4, 16), "w": (16, 10)},
            "10 output channels: FP8 pays from 16 on",
        ),
        (
            "y = Gemm<transB=1>(x, w)",
            {"x": (4, 15), "w": (16, 15)},
            "15 input channels: FP8 pays from 16 on",
        ),
        ("y = MatMul(x, x)", {"x": (8, 8)}, "8 input channels: FP8 pays from 16 on"),
        ("y = Conv(x, w)", {"x": (1, 17, 4, 4), "w": (17, 17, 1, 1)}, ""),
    ],
)
def test_what_is_narrow_stays_float_unless_it_is_asked_for(text, shapes, narrow):
    """By the channels that go in or come out; of INT8 there is no such bound."""
    sizes = ",".join(map(str, shapes["x"]))
    weights = {name: each for name, each in shapes.items() if name != "x"}
    rank = ",".join("ABCD"[: len(shapes["x"])])
    model = seeded(f"g (float[{sizes}] x) => (float[{rank}] y) {{ {text} }}", **weights)

    def told(into, requests=None):
        return place_pairs(model, ranges=ranges_of(x=1.0), into=into, requests=requests).layers[0]

    assert narrow == told(FP8).reason.removeprefix("it has ")
    assert ["int8", "fp8"] == [told(INT8).precision, told(FP8, ASKED).precision]


def test_layers_of_one_model_may_be_of_two_types():
    """What both read has a pair in each; what the model computes is what each type rounds."""
    net = seeded("g (float[4,16] x) => (float[4,16] y, float[4,16] z) {"
                 "[one] y = MatMul(x, w1)  [two] z = MatMul(x, w2) }",
                 w1=(16, 16), w2=(16, 16))  # fmt: skip
    x, ranges = normal(4, 16, seed=9), ranges_of(x=2.0)
    alone = [
        quantize_model(copy.deepcopy(net), ranges=ranges, into=into).model for into in (INT8, FP8)
    ]
    asked = PrecisionRequests(precision={"two": "fp8"})
    found = quantize_model(copy.deepcopy(net), ranges=ranges, requests=asked)

    assert [("one", "int8"), ("two", "fp8")] == [
        (layer.name, layer.precision) for layer in found.account.layers
    ]
    assert [("x", ("one",)), ("x", ("two",))] == [
        (t.name, t.readers) for t in found.account.tensors
    ]
    made = outputs_of(found.model, {"x": x})
    assert np.array_equal(outputs_of(alone[0], {"x": x})["y"], made["y"])
    assert np.array_equal(outputs_of(alone[1], {"x": x})["z"], made["z"])
    assert list(made) == ["y", "z"]


def test_fp8_stays_close_to_float(net):
    """Three bits behind the point: 25 dB and more, whatever the range of the values."""
    feed = {"x": normal(64, 8, seed=9)}
    before = outputs_of(net, feed)["y"]
    wide = observed(net, {"x": feed["x"] * 20})

    found = quantize_model(copy.deepcopy(net), ranges=wide, into=FP8, requests=ASKED)
    assert sqnr_db(before, outputs_of(found.model, feed)["y"]) > 25


def test_what_is_joined_need_not_be_of_one_size():
    """Of INT8 the small input would keep 1 of 127 steps, and the layer is left float; not here."""
    text = """g (float[4,8] x, float[4,8] z) => (float[4,16] y) {
        k = Concat<axis=1>(x, z)  [fc] y = MatMul(k, w)
    }"""
    model = seeded(text, w=(16, 16))
    ranges = ranges_of(x=1.0, z=640.0, k=640.0)

    def asked(into):
        return place_pairs(model, ranges=ranges, into=into).layers[0].precision

    assert ("fp32", "fp8") == (asked(INT8), asked(FP8))


def test_the_rest_can_be_fp16(net):
    """Scales of 16-bit tensors are such as FP16 can hold, and no less than limit / 448."""
    high = HalfSettings("fp16")
    found = quantize_model(net, ranges=ranges_of(x=2.0, r=1.5), into=FP8, high=high, requests=ASKED)

    scales = {each.name: each.scale for each in found.account.tensors}
    assert scales["r"] == float(np.float16(scales["r"])) >= 1.5 / 448
    assert np.isfinite(outputs_of(found.model, {"x": normal(4, 8)})["y"]).all()


@pytest.mark.parametrize(("expected", "limit"), [("", 448.0), ("is zero throughout", 0.0)])
def test_a_limit_gives_a_scale_or_says_why_not(expected, limit):
    """448 gives the scale 1."""
    assert expected == explain_unusable(limit, into=FP8)
    assert limit / 448 == compute_scale(limit, into=FP8)


def test_the_least_error_of_weights_is_that_of_fp8():
    """Clipping by `mse` errs no more than clipping nothing, judged by FP8's own numbers."""
    weight = normal(4, 256, seed=3)

    def error(scaling):
        made = quantize_weight(weight, 0, scaling, into=FP8)
        return np.square(made.values.astype(np.float32) * made.scales[:, None] - weight).sum(axis=1)

    assert (error(WeightsMse(kind="mse")) <= error(None) * (1 + 1e-6)).all()


def test_a_model_that_comes_in_fp8_is_adopted_as_it_is(net):
    """Byte for byte; its ranges are its scales times 448, and its layers are named."""
    once = quantize_model(net, ranges=ranges_of(x=2.0, r=1.5), into=FP8, requests=ASKED)
    before = once.model.SerializeToString(deterministic=True)

    found = quantize_model(once.model, ranges=ranges_of(x=9.0, r=9.0))
    assert before == found.model.SerializeToString(deterministic=True)
    limits = {name: each.limit for name, each in found.ranges.tensors.items()}
    assert {"x": 2.0, "r": 1.5} == pytest.approx(limits, rel=1e-6)
    assert ["fp8", "fp8"] == [each.precision for each in found.account.layers]


def test_a_range_by_hand_is_written_into_fp8_that_came(net):
    """448 is the scale 1, at both ends."""
    once = quantize_model(net, ranges=ranges_of(x=2.0, r=1.5), into=FP8, requests=ASKED)

    found = quantize_model(once.model, ranges=ranges_of(), manual={"x": (-448.0, 448.0)})
    assert {"x": 1.0} == {each.name: each.scale for each in found.account.tensors[:1]}
    x = np.array([[1.0625, 1.1875, 500, -3, 0, 0, 0, 0]], np.float32)
    assert np.isfinite(outputs_of(found.model, {"x": x})["y"]).all()
