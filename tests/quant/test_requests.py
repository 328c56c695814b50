from __future__ import annotations

import pytest

from trtbuild.quant.requests import PrecisionRequests, matches_node


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("/layer1/conv", True),
        ("*/conv", True),
        ("op:Conv", True),
        ("op:Conv*", True),
        ("op:MatMul", False),
        ("Conv", False),
        ("conv", False),
    ],
)
def test_a_pattern_means_a_name_or_after_op_an_operator(pattern, meant):
    """A bare operator's name is no pattern for it: names and operators stay apart."""
    assert meant == matches_node(pattern, "/layer1/conv", "Conv")


def test_what_is_skipped_stays_float_whatever_its_precision():
    """The reason quotes the pattern that says so."""
    requests = PrecisionRequests(("x", "*conv"), {"my_conv": "int8"})

    assert "skipped by the recipe: `*conv`" == requests.object_to_int8("my_conv", "Conv")
    assert not requests.requests_int8("my_conv", "Conv")


@pytest.mark.parametrize(
    ("precision", "int8"),
    [
        ({}, False),
        ({"*": "int8"}, True),
        ({"*": "int8", "op:Conv": "fp32"}, False),
        ({"op:Conv": "fp32", "*": "int8"}, True),
        ({"conv": "int8", "*": "fp32"}, True),
        ({"other": "int8"}, False),
    ],
)
def test_names_win_over_patterns_and_late_patterns_over_early_ones(precision, int8):
    """As with ranges."""
    assert int8 == PrecisionRequests(precision=precision).requests_int8("conv", "Conv")


def test_a_precision_against_int8_is_quoted():
    """With the pattern that was decisive."""
    requests = PrecisionRequests(precision={"*": "int8", "op:Gemm": "fp32"})

    assert "the recipe asks for fp32: `op:Gemm`" == requests.object_to_int8("fc", "Gemm")
    assert not requests.object_to_int8("fc", "Conv")
