"""The search for factors with which weights of few bits lose least of what their layers make."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, ranges_of, seeded, sqnr_db
from trtbuild.core.quantized_types import INT4
from trtbuild.model.view import GraphView
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.equalizing.awq import Found, Seen, make_rounding, search_balance, search_factors
from trtbuild.quant.equalizing.equalize import choose_searched, equalize

NET = """g (float[N,32] x) => (float[N,16] y) {
    n = LayerNormalization(x, g1, b1)  a = Gemm<transB=1>(n, w)  r = Relu(a)  y = MatMul(r, v)
}"""
WEIGHTS = {"g1": (32,), "b1": (32,), "w": (64, 32), "v": (64, 16)}
ROUND = make_rounding(INT4, 32, None)


def seen_of(values):
    found = Seen()
    for part in np.array_split(values, 3):
        found.add(part)
    return found


def off(weight, factors, x):
    """The squared error of what a rounded weight makes of x, from the outputs themselves."""
    scaled = (weight * factors[:, None]).astype(np.float32)
    return np.square((x / factors) @ ROUND(scaled) - x @ weight).sum()


@pytest.fixture
def x():
    """Four of 64 channels are fifty times as large as the others."""
    return normal(256, 64, seed=5) * np.where(np.arange(64) % 16, 1, 50)


def test_large_channels_are_rounded_more_finely(x):
    """The factors found err far less than none do; by as much as the search says."""
    weight = normal(64, 48, seed=1)
    found = search_factors([weight], seen_of(x), ROUND, 20)

    before, after = off(weight, np.ones(64), x), off(weight, found.factors, x)
    assert 10 * np.log10(before / after) == pytest.approx(found.gain_db, abs=0.05)
    assert found.gain_db > 3
    assert 0 < found.alpha <= 1


def test_nothing_is_ever_worse(x):
    """Alpha 0, which leaves all as it is, is among what is tried."""
    flat = np.sign(x)
    found = search_factors([normal(64, 48, seed=1)], seen_of(flat), ROUND, 20)

    assert found.gain_db >= 0
    assert np.allclose(1, found.factors)


def test_channels_that_are_never_seen_keep_their_size(x):
    """Nothing is known of them."""
    x[:, 3] = 0
    found = search_factors([normal(64, 48, seed=1)], seen_of(x), ROUND, 20)

    assert 1 == found.factors[3]


def test_parts_sum_up_to_the_whole(x):
    """However samples are dealt out."""
    whole = Seen()
    whole.add(x)

    parts = seen_of(x)
    assert (256, 256) == (whole.count, parts.count)
    assert np.allclose(whole.moments, parts.moments)
    assert np.allclose(whole.sizes, parts.sizes)


@pytest.mark.parametrize("block", [32, None])
def test_rounding_is_that_of_the_model(block):
    """By blocks or by channels; a weight of no whole blocks stays as it is."""
    weight = normal(64, 8)
    found = make_rounding(INT4, block, None)(weight)

    scale = np.abs(weight.reshape(-1, block or 64, 8)).max(axis=1) / np.float32(7)
    wide = np.repeat(scale, block or 64, axis=0)
    assert np.allclose(np.rint(weight / wide) * wide, found)
    assert np.array_equal(weight[:40], make_rounding(INT4, 32, None)(weight[:40]))


def test_the_model_computes_what_it_did_and_loses_less():
    """Behind a normalization, and between two products; held against rounding alone."""
    model = seeded(NET, **WEIGHTS)
    gain = next(each for each in model.graph.initializer if each.name == "g1")
    size = np.where(np.arange(32) % 16, 0.3, 20).astype(np.float32)
    gain.raw_data = size.tobytes()
    feed = {"x": normal(256, 32, seed=7)}
    watched = copy.deepcopy(model)
    view = GraphView(model)
    balances = choose_searched(view, [], inserting=True)
    for each in balances:
        watched.graph.output.add().name = each.tensor
    values = outputs_of(watched, feed)
    found = {
        each.tensor: search_balance(view, each, seen_of(values[each.tensor]), ROUND, 20)
        for each in balances
    }
    peaks = {each.tensor: np.abs(values[each.tensor]).max(axis=0) for each in balances}

    made = copy.deepcopy(model)
    account = equalize(made, [(each, 0.0) for each in balances], peaks, found)
    before = outputs_of(model, feed)["y"]
    assert np.allclose(before, outputs_of(made, feed)["y"], rtol=1e-3, atol=1e-3)
    assert [("n", "awq"), ("r", "awq")] == [(each.name, each.by) for each in account.tensors]

    def db(float_model):
        quantized = quantize_model(float_model, ranges=ranges_of(), into=INT4, block=32).model
        return sqnr_db(before, outputs_of(quantized, feed)["y"])

    assert db(made) > db(copy.deepcopy(model)) + 2


RESIDUAL = """g (float[N,32] x) => (float[N,32] y, float[N,16] z) {
    n = LayerNormalization(x, g1, b1)  a = MatMul(n, w)  y = Add(n, a)
    s = Sigmoid(a)  z = Gemm<transB=1>(s, v)
}"""
"""A residual reads what a normalization makes; and a Sigmoid cannot be divided."""


def test_a_mul_is_put_in_front_where_it_helps_enough():
    """Of products alone: others read what they did. By less than half a dB, nothing is inserted."""
    model = seeded(RESIDUAL, g1=(32,), b1=(32,), w=(32, 32), v=(16, 32))
    view, made = GraphView(model), copy.deepcopy(model)
    balances = choose_searched(view, [], inserting=True)
    factors = np.linspace(0.5, 8, 32)
    found = {"n": Found(factors, 0.5, gain_db=0.6), "s": Found(factors, 0.5, gain_db=0.4)}
    peaks = dict.fromkeys(found, np.ones(32))
    account = equalize(made, [(each, 0.0) for each in balances], peaks, found)

    assert ["n", "s"] == [each.tensor for each in balances]
    assert [] == choose_searched(view, [], inserting=False)
    assert [("n", True)] == [(each.name, each.inserted) for each in account.tensors]
    feed = {"x": normal(16, 32, seed=7)}
    for name, before in outputs_of(model, feed).items():
        np.testing.assert_allclose(outputs_of(made, feed)[name], before, rtol=1e-3, atol=1e-3)
    nodes = {node.op_type: list(node.input) for node in made.graph.node}
    assert {"LayerNormalization", "Mul", "MatMul", "Add", "Sigmoid", "Gemm"} == set(nodes)
    assert ("n", "n", "s") == (nodes["Mul"][0], nodes["Add"][0], nodes["Gemm"][0])
