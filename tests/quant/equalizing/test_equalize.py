from __future__ import annotations

import copy

import numpy as np
import pytest

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal, observed, seeded, sqnr_db
from trtbuild.model.view import GraphView
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.equalizing.equalize import (
    choose_balances,
    equalize,
    measure_change,
    measure_channels,
)
from trtbuild.quant.equalizing.kinds import CrossLayer, Smooth

NETWORKS = {
    "convolutions": (
        """g (float[N,3,8,8] x) => (float[N,4,3,3] y) {
            a = Conv<pads=[1,1,1,1]>(x, w, b)  r = Relu(a)
            d = Conv<group=6>(r, v)  l = LeakyRelu(d)  u = Conv<group=2, strides=[2,2]>(l, t)
            p = PRelu(u, s)  y = Conv(p, o, q)
        }""",
        {"w": (6, 3, 3, 3), "b": (6,), "v": (6, 1, 3, 3), "t": (8, 3, 1, 1), "s": (8, 1, 1)}
        | {"o": (4, 8, 1, 1), "q": (4,)},
        (2, 3, 8, 8),
    ),
    "transposed": (
        """g (float[N,4,5,5] x) => (float[N,3,10,10] y) {
            a = ConvTranspose<group=2, strides=[2,2]>(x, w, b)  r = Relu(a)
            y = ConvTranspose(r, v)
        }""",
        {"w": (4, 3, 2, 2), "b": (6,), "v": (6, 3, 1, 1)},
        (2, 4, 5, 5),
    ),
    "products": (
        """g (float[N,6] x) => (float[N,3] y) {
            a = Gemm<transB=1>(x, w, b)  r = Relu(a)  m = MatMul(r, v)  n = Add(m, c)  s = Relu(n)
            y = Gemm<alpha=0.5, beta=2.0>(s, o, q)
        }""",
        {"w": (5, 6), "b": (5,), "v": (5, 7), "c": (7,), "o": (7, 3), "q": (3,)},
        (4, 6),
    ),
    "normalized": (
        """g (float[N,3,6] x) => (float[N,3,4] y) {
            n = LayerNormalization(x, g1, b1)  k = MatMul(n, w)  h = Sigmoid(k)
            m = Mul(h, g2)  t = Add(b2, m)  y = MatMul(t, v)
        }""",
        {"g1": (6,), "b1": (6,), "w": (6, 5), "g2": (5,), "b2": (5,), "v": (5, 4)},
        (2, 3, 6),
    ),
}
ALL = [CrossLayer(kind="cross_layer"), Smooth(kind="smooth", alpha=0.8)]


def equalized(model, feed, asked=ALL):
    """Return the equalized model, and what was said of it."""
    balances = choose_balances(GraphView(model), asked)
    axes = {balance.tensor: balance.axis for balance, _ in balances}
    watched = copy.deepcopy(model)
    del watched.graph.output[:]
    for name in axes:
        watched.graph.output.add(name=name)
    peaks = {}
    measure_channels(peaks, outputs_of(watched, feed).items(), axes)
    made = copy.deepcopy(model)
    return made, equalize(made, balances, peaks)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_model_computes_what_it_did(name):
    """With every layout of weights."""
    text, shapes, shape = NETWORKS[name]
    model, feed = seeded(text, **shapes), {"x": normal(*shape, seed=5)}

    made, account = equalized(model, feed)

    ((_, change),) = measure_change(outputs_of(model, feed), outputs_of(made, feed))
    assert change < 1e-6
    assert account.tensors
    assert made != model


def apart():
    """Return two layers whose channels in between are a thousandfold apart, and their input."""
    sizes = np.logspace(-1.5, 1.5, 8).astype(np.float32)
    w, v = normal(6, 8) * sizes, normal(8, 4, seed=1) / sizes[:, None]
    text = "g (float[N,6] x) => (float[N,4] y) { a = MatMul(x, w)  r = Relu(a)  y = MatMul(r, v) }"
    return model_of(text, {"w": w, "v": v}), {"x": normal(200, 6, seed=2)}


def test_int8_gains_where_channels_are_far_apart():
    """One scale for all loses the small ones, which weigh as much."""
    model, feed = apart()
    made, _ = equalized(model, feed)
    exact = outputs_of(model, feed)["y"]

    before, after = (
        sqnr_db(exact, outputs_of(quantize_model(m, ranges=observed(m, feed)).model, feed)["y"])
        for m in (copy.deepcopy(model), made)
    )

    assert after > before + 10


def test_alpha_says_how_much_activations_get():
    """1 makes their channels alike."""
    model, feed = apart()

    _, account = equalized(model, feed, [CrossLayer(kind="cross_layer", alpha=1)])

    assert 1 == account.tensors[0].spread_after


def test_what_reads_single_channels_is_no_bar():
    """Depthwise weights have a scale for each channel: activations are made alike at any alpha."""
    text = """g (float[N,4,5,5] x) => (float[N,4,3,3] y) {
        a = Conv(x, w)  r = Relu(a)  y = Conv<group=4>(r, v)
    }"""
    model, feed = seeded(text, w=(4, 4, 1, 1), v=(4, 1, 3, 3)), {"x": normal(9, 4, 5, 5)}

    _, account = equalized(model, feed, [CrossLayer(kind="cross_layer", alpha=0)])

    assert pytest.approx(1) == account.tensors[0].spread_after


def test_a_dead_channel_stays_as_it_is():
    """Its size is not known."""
    model, feed = apart()
    (weight,) = (each for each in model.graph.initializer if each.name == "w")
    weight.raw_data = (
        (np.frombuffer(weight.raw_data, np.float32).reshape(6, 8) * [0, *[1] * 7])
        .astype(np.float32)
        .tobytes()
    )

    made, _ = equalized(model, feed)

    ((_, change),) = measure_change(outputs_of(model, feed), outputs_of(made, feed))
    assert change < 1e-6


def test_a_constant_that_others_read_stays_for_them():
    """The equalized one is another."""
    text = """g (float[N,4] x) => (float[N,4] y) {
        a = MatMul(x, w)  r = Relu(a)  b = MatMul(r, w)  c = Sigmoid(b)  y = MatMul(c, w)
    }"""
    model, feed = seeded(text, w=(4, 4)), {"x": normal(9, 4)}

    made, account = equalized(model, feed)

    ((_, change),) = measure_change(outputs_of(model, feed), outputs_of(made, feed))
    assert (change < 1e-6, ["r"]) == (True, [each.name for each in account.tensors])
