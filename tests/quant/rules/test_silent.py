"""INT8 that would be lost without a word: which layer, and what of it."""

from __future__ import annotations

import pytest

from tests.helpers.qdq import layer
from tests.helpers.rules import ONE, W, X, account, conv, fp8, graph
from trtbuild.quant.rules.build_target import BuildTarget
from trtbuild.quant.rules.silent import (
    fp8_too_early,
    half_quantized,
    lacking_range,
    nothing_quantized,
    quantized_body,
    turing,
    wrong_axis,
)
from trtbuild.quant.rules.subject import RuleSubject


def said(rule, model, **known):
    return list(rule(RuleSubject(model=model, **known)))


@pytest.mark.parametrize(
    ("lost", "body"),
    [
        ("weight", f"{X} {conv('one', 'x_dq', 'y')}"),
        ("input", f"{W} {conv('one', 'x', 'y', 'w_dq')}"),
        ("second operand", f"{X} [one] y = MatMul(x_dq, x)"),
        ("first operand", f"{X} [one] y = MatMul(x, x_dq)"),
    ],
)
def test_the_operand_that_is_not_quantized_is_named(lost, body):
    """By what it is to the layer."""
    (hit,) = said(half_quantized, graph(body))

    assert ("one", f"its {lost} is not quantized while the other operand is") == hit


@pytest.mark.parametrize("body", [ONE, conv("one", "x", "y")])
def test_both_or_neither_is_no_matter(body):
    """INT8, or float."""
    assert [] == said(half_quantized, graph(body))


def test_the_first_reasons_why_nothing_is_int8_are_told():
    """Ten at most, and how many more; what the model has where there was nothing to quantize."""
    layers = [(f"n{index}", "fp32", f"reason {index}") for index in range(12)]

    ((node, told),) = said(nothing_quantized, graph(ONE), account=account(*layers))
    assert "" == node
    assert 10 == told.count("reason ")
    assert told.endswith("; and 2 more reasons")
    ((_, told),) = said(nothing_quantized, graph(ONE), account=account())
    assert told.endswith("it has none that could be, only Conv, DequantizeLinear, QuantizeLinear")


def test_one_int8_layer_is_some():
    """The report has the rest."""
    found = account(("a", "int8", ""), ("b", "fp32", "there is no range for `x`"))

    assert [] == said(nothing_quantized, graph(ONE), account=found)
    assert [("b", "it stays float: there is no range for `x`")] == said(
        lacking_range, graph(ONE), account=found
    )


def test_capabilities_too_early_for_fp8_are_listed():
    """8.9 and 12.0 are not: versions are no text."""
    ((_, told), *_) = list(fp8_too_early(fp8("8.6", "8.9", "12.0", "7.5")))

    assert "FP8 cannot be compiled for 8.6, 7.5" == told


@pytest.mark.parametrize(("expected", "allowed"), [(["one"], ()), ([], ("on*",))])
def test_turing_makes_float_of_what_is_asked_for(expected, allowed):
    """With 7.5 anywhere in the list; not of what may be float."""
    target = BuildTarget(kind="tensorrt_rtx", compute_capabilities=("8.9", "7.5"))
    found = said(turing, graph(ONE), build_target=target, allow_float=allowed)

    assert expected == [node for node, _ in found]


def test_scales_along_another_axis_are_told_with_both():
    """A Conv's output channels are axis 0 of its weight, those of a transposed one axis 1."""
    assert [] == said(wrong_axis, layer())
    assert [
        ("layer", "the scales of its weight lie along axis 1, its output channels along 0")
    ] == said(wrong_axis, layer(axis=1))
    assert [] == said(wrong_axis, layer(op="ConvTranspose", axis=1))


def test_a_pair_in_a_body_within_a_body_is_found():
    """However deep, with the node of the top graph that it lies in."""
    inner = "q = QuantizeLinear(x, s, z) r = DequantizeLinear(q, s, z)"
    body = f"""[outer] y = If(c) <
        then_branch = t () => (float[1,8,8,8] a) {{ [inner] a = If(c) <
            then_branch = u () => (float[1,8,8,8] r) {{ {inner} }},
            else_branch = v () => (float[1,8,8,8] n) {{ n = Neg(x) }}> }},
        else_branch = e () => (float[1,8,8,8] f) {{ f = Identity(x) }}>"""
    found = said(quantized_body, graph(body, inputs="float[1,8,8,8] x, bool c"))

    assert ["q", "r"] == [node for node, _ in found]
    assert all("inside the If `outer`" in told for _, told in found)
