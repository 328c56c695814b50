from __future__ import annotations

from itertools import permutations

import onnx
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.quant.requests import PrecisionRequests

NODES = [
    onnx.helper.make_node(op, ["x"], [name], name=name)
    for name, op in (("conv", "Conv"), ("convert", "Cast"), ("crop", "Slice"), ("fc", "Gemm"))
]


def asked(precision, **more):
    """Return the requests of a model with a few nodes."""
    return PrecisionRequests.among(NODES, precision=precision, **more)


def test_what_is_skipped_stays_float_whatever_its_precision():
    """The reason quotes the pattern that says so."""
    requests = asked({"conv": "int8"}, skip=("x", "*onv"))

    assert "skipped by the recipe: `*onv`" == requests.object_to_quantizing("conv", "Conv")
    assert not requests.requests_quantizing("conv", "Conv")


@pytest.mark.parametrize(
    ("precision", "int8"),
    [
        ({}, False),
        ({"*": "int8", "op:Conv": "fp32"}, False),
        ({"conv": "int8", "*": "fp32"}, True),
        ({"c*": "int8", "con*": "int8", "op:Conv": "fp32"}, True),
        ({"?*": "fp32", "c*": "int8"}, True),
        ({"other": "int8"}, False),
    ],
)
def test_the_most_specific_precision_counts(precision, int8):
    """As with ranges: in whatever order they are written."""
    for order in permutations(precision.items()):
        assert int8 == asked(dict(order)).requests_quantizing("conv", "Conv")


def test_two_precisions_of_which_neither_is_more_specific_are_an_error():
    """Unless they say the same."""
    assert asked({"c*": "fp32", "*[cv]": "fp32"}).object_to_half("conv", "Conv")
    with pytest.raises(StepInputError, match=r"`\*\[cv\]` and `c\*` both mean `conv`") as caught:
        asked({"c*": "fp32", "*[cv]": "int8"}).object_to_half("conv", "Conv")
    assert "by its name" in caught.value.hint


def test_what_is_made_later_obeys_the_same_patterns():
    """Nodes that the model had not when the requests were made, in bodies or added since."""
    requests = asked({"c*": "fp32", "con*": "int8"})

    assert not requests.object_to_half("conv/added", "Cast")
    assert "the recipe asks for fp32: `c*`" == requests.object_to_half("cast", "Cast")


def test_a_precision_against_int8_is_quoted():
    """With the pattern that was decisive."""
    requests = asked({"*": "int8", "op:Gemm": "fp32"})

    assert "the recipe asks for fp32: `op:Gemm`" == requests.object_to_quantizing("fc", "Gemm")
    assert not requests.object_to_quantizing("fc", "Conv")
