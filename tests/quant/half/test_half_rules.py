"""Which nodes stay float32."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from trtbuild.model.view import GraphView
from trtbuild.quant.half.half_rules import find_kept_nodes
from trtbuild.quant.half_types import HALVES
from trtbuild.quant.requests import PrecisionRequests

CHAIN = """g (float[4] x) => (float[4] y)
<float big = {1e5}, float tiny = {1e-6}, float one = {1}> {
    [a] a = Mul(x, one)  [b] b = ?  [c] y = Add(b, one)
}"""


def reasons(text, *, name="fp16", requests=None, **largest):
    view = GraphView(model_of(text))
    found = find_kept_nodes(
        view, HALVES[name], largest=largest, requests=requests or PrecisionRequests()
    )
    return {view.nodes[index].name: reason for index, reason in found.items()}


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ("Mul(a, big)", "its constant `big` (1e+05) overflows fp16"),
        ("Add(a, tiny)", "its constant `tiny` (1e-06) vanishes in fp16"),
        ("Celu(a)", "there is no Celu in fp16"),
        ("Clip(a, one, big)", ""),  # what is beyond the type is beyond the bound
        ("Mul(a, a)", ""),
    ],
)
def test_constants_and_operators_decide(node, reason):
    """Whatever calibration saw."""
    assert ({"b": reason} if reason else {}) == reasons(CHAIN.replace("?", node))


def test_bf16_holds_what_float32_holds():
    """Its exponent is as wide."""
    assert {} == reasons(CHAIN.replace("?", "Mul(a, big)"), name="bf16")


def test_what_tensorrt_refuses_stays_float32():
    """Mish is in ONNX's bf16, and not in TensorRT's."""
    text = CHAIN.replace("?", "Mish(a)")
    header = '<ir_version: 8, opset_import: ["" : 22]>'

    assert {"b": "there is no Mish in bf16"} == reasons(header + text, name="bf16")
    assert {} == reasons(header + text)


def test_measured_values_decide():
    """A quarter of the type's end is the most that is trusted; maker and reader stay float32."""
    text = CHAIN.replace("?", "Mul(a, a)")

    assert {} == reasons(text, a=100, b=16376)
    told = "`b` reaches 2e+04 in calibration, and fp16 ends at 6.55e+04"
    assert {"b": told, "c": told} == reasons(text, a=140, b=20000)


def test_wishes_decide():
    """`precision: fp32` is for 16 bits too; `skip` is for INT8 alone."""
    text = CHAIN.replace("?", "Mul(a, a)")

    assert {"b": "the recipe asks for fp32: `b`"} == reasons(
        text, requests=PrecisionRequests(precision={"b": "fp32"})
    )
    assert {} == reasons(text, requests=PrecisionRequests(skip=("b",)))


def test_the_sum_of_squares_counts():
    """A length of 200 is the root of 40000."""
    text = """g (float[2,4] x) => (float[2,1] y) <int64[1] last = {1}> {
        a = Neg(x)  [b] b = ReduceL2(a, last)  y = Neg(b)
    }"""
    text = '<ir_version: 8, opset_import: ["" : 18]>' + text

    assert {} == reasons(text, b=100)
    assert {"b": "the squares that it sums overflow fp16"} == reasons(text, b=200)


def test_integers_are_made_of_float32():
    """Half numbers past 2048 are not all whole."""
    text = "g (float[4] x) => (int64[4] y) { a = Neg(x)  [b] y = Cast<to=7>(a) }"

    assert "b" in reasons(text)


def test_a_body_stays_as_it_is():
    """And so does the node that has it."""
    text = """g (bool c, float[4] x) => (float[4] y) {
        a = Neg(x)
        [b] z = If(c) <then_branch = t () => (float[4] p) { p = Neg(a) },
                       else_branch = e () => (float[4] q) { q = Abs(a) }>
        y = Neg(z)
    }"""

    assert {"b": "it has a body"} == reasons(text)


def test_what_lies_between_float32_stays_so():
    """Two casts would cost more than sixteen bits save."""
    text = """g (float[4] x) => (float[4] y) <float big = {1e5}> {
        [a] a = Mul(x, big)  [b] b = Relu(a)  [c] c = Div(b, big)  [d] y = Relu(c)
    }"""

    assert "it stands between nodes in float32" == reasons(text)["b"]
    assert "d" not in reasons(text)


def test_plugins_and_what_stands_behind_them_stay_float32():
    """Nobody knows which types a plugin takes, or how large the values are that it makes."""
    text = CHAIN.replace("?", "Own_TRT(a)")
    reason = "it is, or stands behind, the plugin Own_TRT `b`"

    assert {"b": reason, "c": reason} == reasons(text)
