from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from tests.helpers.quant import seeded
from trtbuild.model.view import GraphView
from trtbuild.quant.equalizing.balances import find_balances

CHAIN = """g (float[1,3,8,8] x) => (float[N,M,H,W] y) {{
    a = Conv(x, w, b)  r = {0}  y = Conv(r, v)
}}"""


def found(text, **shapes):
    return [(b.tensor, b.kind) for b in find_balances(GraphView(seeded(text, **shapes)))]


@pytest.mark.parametrize(
    "between",
    ["Relu(a)", "LeakyRelu<alpha=0.2>(a)", "MaxPool<kernel_shape=[2,2]>(a)", "Clip(a, zero)"],
)
def test_between_convolutions_stands_what_keeps_proportions(between):
    """s · f(x) = f(s · x)."""
    text = CHAIN.format(between).replace("W] y) {", "W] y) <float zero = {0}> {")

    assert [("r", "cross_layer")] == found(text, w=(4, 3, 3, 3), b=(4,), v=(5, 4, 1, 1))


@pytest.mark.parametrize("between", ["Sigmoid(a)", "Clip(a, zero, six)", "Flatten(a)", "Add(a, a)"])
def test_nothing_else_may_stand_there(between):
    """Relu6 and Silu bend, and Flatten makes other channels."""
    text = CHAIN.format(between)
    text = text.replace("W] y) {", "W] y) <float zero = {0}, float six = {6}> {")
    text = text.replace("Conv(r, v)", "MatMul(r, v)") if "Flatten" in between else text

    assert [] == found(text, w=(4, 3, 3, 3), b=(4,), v=(5, 4, 1, 1))


def test_whoever_reads_it_must_have_a_weight_for_it():
    """An output, an Add or a product of two activations has none."""
    text = """g (float[N,4] x) => (float[N,4] y, float[N,4] a) {
        a = MatMul(x, w)  b = MatMul(x, w)  c = Relu(b)  d = MatMul(c, w)  e = Add(c, d)
        f = MatMul(a, w)  y = Add(e, f)
    }"""

    assert [] == found(text, w=(4, 4))


def test_behind_a_normalization_stand_all_that_read_it():
    """Written as one operator, or as a Mul and an Add."""
    text = """g (float[2,3,4] x) => (float[2,3,5] y) {
        n = LayerNormalization(x, g1, b1)  q = MatMul(n, w)  k = MatMul(n, w)  s = Add(q, k)
        p = Sigmoid(s)  m = Mul(p, g2)  t = Add(m, b2)  y = MatMul(t, v)
    }"""
    shapes = {"g1": (4,), "b1": (4,), "w": (4, 4), "g2": (4,), "b2": (4,), "v": (4, 5)}
    view = GraphView(seeded(text, **shapes))

    first, second = find_balances(view)

    assert [("n", "smooth", 4), ("t", "smooth", 4)] == [
        (b.tensor, b.kind, b.channels) for b in (first, second)
    ]
    assert (2, 2) == (len(first.sources), len(first.readers))
    names = {view.nodes[index].input[slot] for index, slot in second.sources}
    assert {"g2", "b2"} == names


def test_sixteen_bits_are_left():
    """Rounded anew they would compute something else."""
    half = {
        name: np.ones(shape, np.float16)
        for name, shape in {"w": (4, 3, 3, 3), "b": (4,), "v": (5, 4, 1, 1)}.items()
    }
    text = CHAIN.format("Relu(a)").replace("float[", "float16[")

    assert [] == list(find_balances(GraphView(model_of(text, half))))
