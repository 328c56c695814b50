from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal, observed, ranges_of, seeded, sqnr_db
from trtbuild.core.errors import StepInputError
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import HalfSettings
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.quant.rules.subject import RuleSubject
from trtbuild.quant.rules.table import check_rules

W = np.array([[127, -64, 1], [10, 20, 30]], np.int8)
"""Two outputs of three inputs, as Gemm with transB has them."""


def dense(x_scale="float xs = {0.5}", zero="int8 xz = {0}", weight="wq, ws, wz", **weights):
    """A Gemm whose operands are dequantized; the weight's parameters can be replaced."""
    values = {
        "wq": W,
        "ws": np.array([0.5, 0.25], np.float32),
        "wz": np.zeros(2, np.int8),
        "b": np.array([1, 2], np.float32),
        **weights,
    }
    return model_of(
        f"""g (float[N,3] x) => (float[N,2] y) <{x_scale}, {zero}> {{
            [xq] q = QuantizeLinear(x, xs, xz)  [xd] d = DequantizeLinear(q, xs, xz)
            [wd] w = DequantizeLinear<axis={weights.pop("axis", 0)}>({weight})
            [fc] y = Gemm<transB=1>(d, w, b)
        }}""",
        {name: value for name, value in values.items() if name != "axis"},
    )


def adopted(model, **options):
    found = quantize_model(copy.deepcopy(model), ranges=ranges_of(), **options)
    onnx.checker.check_model(found.model, full_check=True)
    return found


def repairs_of(found):
    return [remark.split(":")[0] for remark in found.account.remarks if "TensorRT" in remark]


def y_of(model, seed=0):
    return outputs_of(model, {"x": normal(16, 3, seed=seed) * 20})["y"]


def test_a_sound_model_is_accepted_as_it_is():
    """Byte for byte; its ranges are in the table, its layers in the account."""
    model = dense()
    model.graph.node[0].name = "xq"
    before = model.SerializeToString(deterministic=True)
    found = adopted(model)

    assert before == found.model.SerializeToString(deterministic=True)
    assert [("x", 63.5, "imported")] == [
        (name, each.limit, each.origin) for name, each in found.ranges.tensors.items()
    ]
    assert [("fc", "int8")] == [(each.name, each.precision) for each in found.account.layers]
    assert [("x", 0.5, ("fc",))] == [
        (each.name, each.scale, each.readers) for each in found.account.tensors
    ]
    assert [("wq", 0, 2)] == [(e.name, e.axis, e.channels) for e in found.account.weights]


def test_a_manual_range_wins_over_an_imported_one():
    """The pair is rewritten at both ends."""
    found = adopted(dense(), manual={"x": (-127.0, 127.0)})

    assert "manual" == found.ranges.tensors["x"].origin
    assert [1.0] == [tensor.scale for tensor in found.account.tensors]
    assert adopted(found.model).account.tensors == found.account.tensors


def test_skip_says_that_it_has_no_effect():
    """The placement is the model's own."""
    found = adopted(dense(), requests=PrecisionRequests(("fc",)))

    assert "skip and precision have no effect: `fc`" in found.account.remarks


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


def test_a_layer_that_the_model_leaves_float_says_so():
    """One operand alone gives no INT8."""
    model = model_of(
        """g (float[N,3] x) => (float[N,2] y) <float s = {0.5}, int8 z = {0}> {
            w = DequantizeLinear(wq, s, z)  [fc] y = Gemm<transB=1>(x, w)
        }""",
        {"wq": W},
    )

    assert [("fp32", "the model does not quantize `x`")] == [
        (each.precision, each.reason) for each in adopted(model).account.layers
    ]


def test_an_activation_scaled_by_channel_is_no_int8():
    """TensorRT-RTX computes in float behind it, silently; the model is left as it is."""
    model = dense(x_scale="float[3] xs = {0.5, 1, 2}", zero="int8[3] xz = {0, 0, 0}")
    found = adopted(model)

    assert [("fp32", "the model gives `d` a scale for each channel")] == [
        (each.precision, each.reason) for each in found.account.layers
    ]
    assert y_of(model).tolist() == y_of(found.model).tolist()


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


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: dense(x_scale="float xs = {0}"), "the scale of `x` at `xq` is 0"),
        (
            lambda: dense(x_scale="xs", xs=np.array(np.nan, np.float32)),
            "the scale of `x` at `xq` is nan",
        ),
        (lambda: dense(x_scale="float xs = {1e-40}"), "the scale of `x` at `xq` is 9.99995e-41"),
        (lambda: dense(zero="uint16 xz = {0}"), "`xq` quantizes to uint16"),
        (lambda: dense(wq=W.astype(np.int16), wz=np.zeros(2, np.int16)), "`wd` quantizes to int16"),
        (
            lambda: model_of("""g (float[N,3] x, float s) => (float[N,3] y) <int8 z = {0}> {
                [a] q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z) }"""),
            "the scale `s` of QuantizeLinear `a` is computed",
        ),
        (
            lambda: model_of("""g (float[N,3] x) => (float[N,3] y)
            <float s = {0.5}, float t = {0.25}, int8 z = {0}> {
                [a] q = QuantizeLinear(x, s, z)  [b] y = DequantizeLinear(q, t, z) }"""),
            "`a` has scale 0.5 and zero point 0 (int8), but `b` has scale 0.25",
        ),
        (
            lambda: model_of("""g (uint8[N,3] q) => (float[N,3] y) <float s = {1}, uint8 z = {7}> {
                [a] y = DequantizeLinear(q, s, z) }"""),
            "`a` takes uint8 integers with zero point 7, and no QuantizeLinear",
        ),
        (
            lambda: model_of("""g (float[N,3] x) => (uint8[N,3] q, float s, uint8 z) {
                [dyn] q, s, z = DynamicQuantizeLinear(x) }"""),
            "`dyn` is a DynamicQuantizeLinear",
        ),
        (
            lambda: model_of(
                """g (int8[2,3] a, int8[3,2] b) => (int8[2,2] y) <float s = {1}, int8 z = {0}> {
                [old] y = QLinearMatMul(a, s, z, b, s, z, s, z) }"""
            ),
            "`old` is a QLinearMatMul",
        ),
    ],
)
def test_what_cannot_be_repaired_is_refused(model, words):
    """One sentence with the node, and a hint."""
    with pytest.raises(StepInputError) as raised:
        adopted(model())

    assert words in raised.value.message
    assert raised.value.hint


def test_our_own_models_are_sound():
    """Quantized twice is quantized once."""
    model = seeded(
        "g (float[N,4,6,6] x) => (float[N,4,6,6] y) "
        "{ a = Conv(x, w)  r = Relu(a)  p = MaxPool<kernel_shape=[1,1]>(r)  y = Conv(p, w) }",
        w=(4, 4, 1, 1),
    )
    once = quantize_model(model, ranges=observed(model, {"x": normal(2, 4, 6, 6)}))
    before = once.model.SerializeToString(deterministic=True)
    twice = adopted(once.model)

    assert before == twice.model.SerializeToString(deterministic=True)
    assert once.account.layers == twice.account.layers


@pytest.mark.parametrize("half", ["fp16", "bf16"])
def test_both_ends_of_a_pair_keep_one_scale_beside_16_bits(half):
    """0.03 is in neither type: each end would round it where its own data is 16-bit."""
    model = dense(x_scale="float xs = {0.03}", ws=np.full(2, 0.01, np.float32))
    found = adopted(model, high=HalfSettings(half))

    assert [] == [fault.code for fault in check_rules(RuleSubject(model=found.model))]
    (tensor,) = found.account.tensors
    assert tensor.scale == pytest.approx(0.03, rel=0.01)
    assert tensor.scale >= np.float32(0.03)
    assert f"scales are rounded up to what {half} can hold" in found.account.remarks
    if half == "fp16":
        assert sqnr_db(y_of(model), y_of(found.model)) > 35
