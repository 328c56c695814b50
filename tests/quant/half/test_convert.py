"""What the account says of a model in 16 bits."""

from __future__ import annotations

from tests.helpers.quant import normal, observed, seeded
from trtbuild.model.opset import read_opset
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import (
    HalfSettings,
    convert_to_half,
    make_float_account,
    raise_opset_for_half,
)
from trtbuild.quant.requests import PrecisionRequests

MODEL = """g (float[N,4] x) => (float[N,4] y) <float big = {100000}> {
    [one] a = MatMul(x, w)  [up] b = Mul(a, big)  [two] y = MatMul(b, w)
}"""


def test_layers_have_the_precision_that_they_were_given():
    """INT8, 16 bits, or float32 with the reason."""
    model = seeded(MODEL, w=(4, 4))
    requests = PrecisionRequests(skip=("one",), precision={"two": "fp32"})
    account = quantize_model(
        model,
        ranges=observed(model, {"x": normal(2, 4)}),
        high=HalfSettings("fp16"),
        requests=requests,
    ).account

    assert ["fp16", "fp32"] == [layer.precision for layer in account.layers]
    assert ["up", "two"] == [node.name for node in account.kept]
    assert "MatMul `two` stays float32: the recipe asks for fp32: `two`" in account.remarks


def test_a_model_without_int8_has_an_account_too():
    """Every layer is in it."""
    model = seeded(MODEL, w=(4, 4))
    account = convert_to_half(model, make_float_account(model), HalfSettings("fp16", {"x": 1.0}))

    assert ["fp16", "fp16"] == [layer.precision for layer in account.layers]
    assert ("Mul `up` stays float32: its constant `big` (1e+05) overflows fp16",) == account.remarks


def test_it_says_where_nothing_was_measured():
    """Constants alone cannot tell what overflows."""
    model = seeded(MODEL, w=(4, 4))

    assert (
        "nothing was measured"
        in convert_to_half(model, make_float_account(model), HalfSettings("fp16")).remarks[-1]
    )


def test_the_opset_is_raised_no_further_than_needed():
    """Q/DQ pairs take fp16 from 19 on, bf16 needs 22, fp16 alone what Q/DQ needs."""
    found = [
        read_opset(raise_opset_for_half(seeded(MODEL, w=(4, 4)), name, quantized=quantized)[0])
        for name, quantized in (("fp16", False), ("fp16", True), ("bf16", False))
    ]

    assert [17, 19, 22] == found
