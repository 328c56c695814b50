from __future__ import annotations

import pytest

from tests.helpers.qdq import layer
from tests.helpers.quant import ranges_of, seeded
from trtbuild.quant.adjusting.layers import find_layers
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.requests import PrecisionRequests

MODEL = """g (float[N,4] x) => (float[N,4] y) {
    [one] a = MatMul(x, w)  b = Add(c, a)  [two] d = Gemm<beta=0.5>(b, v, c)
    [three] e = MatMul(u, d)  y = Sigmoid(e)
}"""


def layers(skip=()):
    model = seeded(MODEL, w=(4, 4), c=(4,), v=(4, 4), u=(5, 5))
    requests = PrecisionRequests.among(model.graph.node, skip=skip)
    made = quantize_model(model, ranges=ranges_of(x=1.0, b=1.0, d=1.0), requests=requests)
    return {each.name: each for each in find_layers(made.model)}


def test_finds_what_reads_int8_twice():
    """Once from an activation, once from a weight; what stays float is none of them."""
    assert ["one", "two", "three"] == list(layers())
    assert ["one", "three"] == list(layers(skip=("two",)))


def test_finds_where_the_bias_is():
    """In the Add behind a MatMul, or the layer's own; a MatMul without an Add has none."""
    found = layers()

    assert (0, "c") == (found["one"].bias.slot, found["one"].bias.tensor)
    assert (2, "c", 0.5) == (
        found["two"].bias.slot,
        found["two"].bias.tensor,
        found["two"].bias.factor,
    )
    assert found["three"].bias is None


def test_a_weight_on_the_left_makes_rows():
    """Its output's channels are the axis before the last."""
    found = layers()

    assert (1, 0) == (found["two"].channel_axis(2), found["three"].channel_axis(2))
    assert (4, 5) == (found["two"].channels, found["three"].channels)


@pytest.mark.parametrize("pairs", ["x", "w", ""])
def test_one_operand_in_int8_is_not_enough(pairs):
    """The layer computes in float then."""
    assert [] == list(find_layers(layer(pairs=pairs)))
