"""Operators that a target lacks."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from trtbuild.quant.rules.build_target import BuildTarget
from trtbuild.quant.rules.operators import (
    attention_in_float32,
    lacking_kernel,
    lacking_operator,
    note_unknowable,
    unknown_operator,
)
from trtbuild.quant.rules.subject import RuleSubject

DOMAINS = '"" : 24, "ai.onnx.ml" : 3, "com.microsoft" : 1, "a.b" : 1'


def found(rule, body, kind="tensorrt_rtx", *, inputs="float[2,4,8] x", plugins=False):
    model = model_of(
        f"""<ir_version: 10, opset_import: [{DOMAINS}]>
        g ({inputs}) => (float[a,b,c] y) {{ {body} }}"""
    )
    target = BuildTarget(kind=kind, plugins=plugins)
    return [reason for _, reason in rule(RuleSubject(model=model, build_target=target))]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("tensorrt10", "TensorRT 10 has no Det (the parser's list for 10.15)"),
        ("tensorrt_rtx", "TensorRT-RTX has no Det (measured with 1.7.1)"),
        ("", "no TensorRT has Det"),
    ],
)
def test_an_operator_is_lacking_by_a_list_that_is_named(kind, reason):
    """In bodies too; without a target only what no list has."""
    inside = """y = If(c) <then_branch = t () => (float[2] p) { p = Det(x) },
        else_branch = e () => (float[2] q) { q = ReduceMax(x) }>"""

    assert [reason] == found(lacking_operator, "y = Det(x)", kind)
    assert [reason] == found(lacking_operator, inside, kind, inputs="float[2,4,8] x, bool c")


def test_what_no_list_speaks_of_has_no_fault():
    """DeformConv is lacking in TensorRT-RTX alone, Swish is newer than the list for 10.15."""
    body = "a = Swish(x)  y = DeformConv(a, x, x)"

    assert [] == found(lacking_operator, body, "tensorrt10")
    assert [] == found(lacking_operator, body, "")
    assert 1 == len(found(lacking_operator, body))


def test_quantized_formats_are_told_by_their_own_rule():
    """TB106 says what to do about them."""
    assert [] == found(lacking_operator, "d, e, f = DynamicQuantizeLinear(x)  y = Relu(x)")


def test_operators_of_machine_learning_are_lacking_everywhere():
    """`ai.onnx.ml` has trees and encoders."""
    assert 1 == len(found(lacking_operator, "y = ai.onnx.ml.Scaler(x)", "tensorrt11"))


@pytest.mark.parametrize(
    ("expected", "kind", "plugins"),
    [
        (1, "tensorrt_rtx", False),  # it brings none
        (0, "tensorrt_rtx", True),
        (0, "tensorrt10", False),  # it brings this one
        (0, "tensorrt11", False),
        (0, "", False),
    ],
)
def test_a_plugin_is_known_where_the_target_brings_or_names_it(expected, kind, plugins):
    """Which operators a library makes nobody can see: any may be it."""
    body = "y = EfficientNMS_TRT(x)"

    assert expected == len(found(unknown_operator, body, kind, plugins=plugins))


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        (1, "y = a.b.Thing(x)"),
        (1, "y = com.microsoft.FusedMatMul(x, x)"),
        (0, "y = com.microsoft.Gelu(x)"),
        (0, "y = com.microsoft.SimplifiedLayerNormalization(x, x)"),
        (0, "y = a.b.Relu(x)"),
    ],
)
def test_the_parser_goes_by_an_operators_name_alone(expected, body):
    """Measured with 1.7.1: whatever its domain."""
    assert expected == len(found(unknown_operator, body))


def test_plugins_that_are_missing_from_rtx_are_told_unless_the_target_names_libraries():
    """NonZero and RoiAlign; no library helps NonMaxSuppression."""
    body = "i = NonZero(x)  y = Relu(x)"

    assert 1 == len(found(lacking_kernel, body))
    assert [] == found(lacking_kernel, body, plugins=True)
    assert [] == found(lacking_kernel, body, "tensorrt10")


FLAT = "<q_num_heads=2, kv_num_heads=2>"
ONE = "float[2,1,8] q, float[2,4,4] x"
FEWER = "<q_num_heads=2, kv_num_heads=1>"


@pytest.mark.parametrize(
    ("expected", "body", "inputs"),
    [
        (0, f"y = Attention{FLAT}(x, x, x)", "float[2,4,8] x"),
        (1, f"y = Attention{FLAT}(x, x, x)", "float[n,4,8] x"),
        (1, f"y = Attention{FLAT}(x, x, x, m)", "float[2,4,8] x, float[4,4] m"),
        (1, "y = Attention(x, x, x)", "float[2,2,4,8] x"),
        (0, f"y = Attention{FEWER}(q, x, x)", ONE),
        (1, f"y = Attention{FEWER}(q, x, x)", ONE.replace("2,1,8", "2,3,8")),
        (0, "y = Attention(x, x, x)", "float16[2,2,4,8] x"),
    ],
    ids=["flat", "open", "masked", "four axes", "one query", "three queries", "half"],
)
def test_attention_in_float32_builds_in_few_forms(expected, body, inputs):
    """Measured with 1.7.1; in 16 bits all of them build."""
    assert expected == len(found(attention_in_float32, body, inputs=inputs))
    assert [] == found(attention_in_float32, body, "tensorrt11", inputs=inputs)


def test_what_a_library_has_to_make_is_a_note():
    """Once an operator; none of what the target brings itself."""
    model = model_of(
        """m (float[2] x) => (float[2] y) {
            a = Own_TRT(x)  b = Own_TRT(a)  c = Other_TRT(b)  y = EfficientNMS_TRT(c)
        }"""
    )
    target = BuildTarget(kind="tensorrt10", plugins=True)

    assert [
        "not checked: whether the libraries of the target's `plugins` make Own_TRT, Other_TRT"
    ] == list(note_unknowable(RuleSubject(model=model, build_target=target)))
