"""Multiply-accumulates: what a layer makes, times the length of each of its sums."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import random
from trtbuild.quant.rules.macs import count_macs


def macs(text, shapes=None, **weights):
    model = model_of(text, {name: random(*shape) for name, shape in weights.items()})
    return count_macs(model, shapes or {})


@pytest.mark.parametrize(
    ("layer", "x", "w", "expected"),
    [
        ("Conv<pads=[1,1,1,1]>(x, w)", "2, 3, 8, 8", (4, 3, 3, 3), 2 * 4 * 64 * 27),
        ("Conv<group=4>(x, w)", "1, 4, 8, 8", (4, 1, 1, 1), 4 * 64),
        ("ConvTranspose<strides=[2,2]>(x, w)", "1, 3, 4, 4", (3, 5, 2, 2), 3 * 16 * 20),
        ("Gemm<transB=1>(x, w)", "2, 8", (5, 8), 2 * 5 * 8),
        ("Gemm<transA=1>(x, w)", "8, 2", (8, 5), 2 * 5 * 8),
        ("MatMul(x, w)", "2, 7, 8", (8, 5), 2 * 7 * 5 * 8),
        ("MatMul(w, x)", "2, 7, 8", (5, 7), 2 * 5 * 8 * 7),
    ],
)
def test_a_layer(layer, x, w, expected):
    """By the formula of its operator."""
    assert {"one": expected} == macs(
        f"g (float[{x}] x) => (float[a] y) {{ [one] y = {layer} }}", w=w
    )


def test_open_dimensions_have_the_sizes_given_or_one():
    """A batch of 4 is four times the work."""
    text = "g (float[N, 8] x) => (float[N, 5] y) { r = Relu(x) [one] y = Gemm(r, w) }"

    assert {"one": 40} == macs(text, w=(8, 5))
    assert {"one": 160} == macs(text, {"x": (4, 8)}, w=(8, 5))


def test_shapes_are_followed_through_computed_ones():
    """A Reshape to a shape that is computed from the input's."""
    text = """g (float[N, 2, 4] x) => (float[N, 5] y) <int64[1] first = {0}, int64[1] rest = {8}> {
        s = Shape(x) n = Gather(s, first) t = Concat<axis=0>(n, rest) f = Reshape(x, t)
        [one] y = MatMul(f, w) }"""

    assert {"one": 3 * 8 * 5} == macs(text, {"x": (3, 2, 4)}, w=(8, 5))
