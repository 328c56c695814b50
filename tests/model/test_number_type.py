"""What a model's numbers are called."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from trtbuild.model.number_type import describe_number_type

PAIR = """
g (float[2] x) => (float[2] y) <float s = {{0.1}}, {zero} z = {{0}}> {{
  q = QuantizeLinear(x, s, z)
  y = DequantizeLinear(q, s, z)
}}
"""
HALF = """
g (float[2] x) => (float[2] y) <float16[4] w = {0, 0, 0, 0}, float[1] b = {0}> {
  a = Cast <to: int = 10> (x)
  c = Add(a, w)
  d = Cast <to: int = 1> (c)
  y = Add(d, b)
}
"""
WITHIN = """
g (bool c, float[2] x) => (float[2] y) {
  y = If (c) <
    then_branch = t () => (float[2] a) <float s = {0.1}, int8 z = {0}> {
      q = QuantizeLinear(x, s, z)
      a = DequantizeLinear(q, s, z)
    },
    else_branch = e () => (float[2] b) { b = Relu(x) }
  >
}
"""


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("FP32", "g (float[2] x) => (float[2] y) { y = Relu(x) }"),
        ("BF16", "g (bfloat16[2] x) => (bfloat16[2] y) { y = Relu(x) }"),
        ("FP64", "g (double[2] x) => (double[2] y) { y = Relu(x) }"),
        ("FP32", "g (int64[2] x) => (int64[2] y) { y = Abs(x) }"),
        ("FP16", HALF),
        ("INT8 Q/DQ", PAIR.format(zero="int8")),
        ("INT8 Q/DQ", PAIR.format(zero="uint8")),
        ("INT16 Q/DQ", PAIR.format(zero="int16")),
        ("INT8 Q/DQ", WITHIN),
        ("INT8 operators", "g (int8[2,2] x) => (int32[2,2] y) { y = MatMulInteger(x, x) }"),
    ],
)
def test_numbers_are_named(expected, text):
    """By what most weights are, or inputs; where any of it is quantized, by that."""
    assert expected == describe_number_type(model_of(text))
