from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.adopting import W, adopted, dense, y_of
from tests.helpers.models import model_of
from tests.helpers.quant import normal, observed, seeded, sqnr_db
from trtbuild.core.errors import StepInputError
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import HalfSettings
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.quant.rules.check import check_rules
from trtbuild.quant.rules.subject import RuleSubject


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

    assert "skip, protect and precision have no effect: `fc`" in found.account.remarks


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
