from __future__ import annotations

import copy

import numpy as np
import pytest

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal, observed, ranges_of, seeded, sqnr_db
from trtbuild.quant.adjusting.adjust import AdjustRequest, adjust_model
from trtbuild.quant.adjusting.layers import find_layers
from trtbuild.quant.adjusting.table import write_adjustments
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.requests import PrecisionRequests

BOTH = AdjustRequest(rounding=True, bias=True)
BIAS = AdjustRequest(rounding=False, bias=True)
ROUNDING = AdjustRequest(rounding=True, bias=False)
TWO = """g (float[N,16] x) => (float[N,4] y) {
    [one] a = MatMul(x, w)  p = Add(a, b)  r = Relu(p)  [two] y = Gemm(r, v, c)
}"""


def quantized(model, ranges, **options):
    return quantize_model(copy.deepcopy(model), ranges=ranges, **options).model


def adjusted(model, ranges, feeds, given, *, threads=1, **options):
    """Return the adjusted model, and the account."""
    found, account = adjust_model(
        copy.deepcopy(model),
        quantized(model, ranges, **options),
        feeds,
        given,
        threads=threads,
        progress=lambda *_: None,
    )
    again = quantize_model(copy.deepcopy(model), ranges=ranges, adjusted=found, **options)
    return again.model, account, found


def constant(model, name):
    (tensor,) = (each for each in model.graph.initializer if each.name == name)
    from onnx.numpy_helper import to_array

    return to_array(tensor)


def test_the_bias_takes_up_what_rounding_adds_in_the_mean():
    """At a scale of 1, x = 0.4 becomes 0: y = 2 x is 0.8 short, and the bias 1 becomes 1.8."""
    text = "g (float[N,1] x) => (float[N,1] y) { [one] y = Gemm(x, w, b) }"
    values = {"w": np.full((1, 1), 2, np.float32), "b": np.ones(1, np.float32)}
    feeds = [{"x": np.full((1, 1), 0.4, np.float32)}] * 3

    model, account, _ = adjusted(model_of(text, values), ranges_of(x=127.0), feeds, BIAS)

    assert pytest.approx(1.8) == constant(model, "y_bias").item()
    assert [("one", 0.0)] == [(each.name, each.turned) for each in account.layers]


def test_a_later_layer_sees_the_bias_of_the_one_before():
    """One at a time: once the first makes up for its input, nothing is left for the second."""
    text = "g (float[N,1] x) => (float[N,1] y) { [one] a = Gemm(x, w)  [two] y = Gemm(a, w) }"
    feeds = [{"x": np.full((1, 1), 0.4, np.float32)}]
    model = model_of(text, {"w": np.full((1, 1), 127, np.float32)})
    ranges = ranges_of(x=127.0, a=127.0 * 50.8)

    _, _, found = adjusted(model, ranges, feeds, BIAS)

    assert pytest.approx(0.4 * 127) == found.shifts["one"].item()
    assert 0 == pytest.approx(found.shifts["two"].item(), abs=1e-2)


def feeds_of(count, *shape):
    return [{"x": normal(*shape, seed=seed)} for seed in range(count)]


@pytest.mark.parametrize("given", [BOTH, BIAS, ROUNDING])
def test_a_model_comes_closer_to_the_float_one(given):
    """On data that it was not adjusted to as well."""
    model = seeded(TWO, w=(16, 16), b=(16,), v=(16, 4), c=(4,))
    mixed = normal(3, 16, seed=9)  # inputs that have something in common, as data has
    feeds = [{"x": each["x"] @ mixed} for each in feeds_of(12, 20, 3)]
    ranges = observed(model, {"x": np.concatenate([each["x"] for each in feeds])})
    fresh = {"x": normal(400, 3, seed=77) @ mixed}
    exact = outputs_of(model, fresh)["y"]

    plain = quantized(model, ranges)
    better, _, _ = adjusted(model, ranges, feeds, given)

    gain = sqnr_db(exact, outputs_of(better, fresh)["y"]) - sqnr_db(
        exact, outputs_of(plain, fresh)["y"]
    )
    assert gain > 0


CONVOLUTIONS = """g (float[N,3,8,8] x) => (float[N,4,4,4] y) {
    [one] a = Conv<pads=[1,1,1,1]>(x, w)  r = Relu(a)
    [two] d = Conv<group=6, pads=[1,1,1,1], strides=[2,2]>(r, v)  [three] y = Conv(d, u, c)
}"""


def convolutional():
    return seeded(CONVOLUTIONS, w=(6, 3, 3, 3), v=(6, 1, 3, 3), u=(4, 6, 1, 1), c=(4,))


def test_convolutions_of_all_sorts_are_adjusted():
    """Grouped ones too; one without a bias gets one, and scales stay as they were."""
    model, feeds = convolutional(), feeds_of(4, 1, 3, 8, 8)
    ranges = observed(model, {"x": np.concatenate([each["x"] for each in feeds])})

    better, account, found = adjusted(model, ranges, feeds, BOTH)

    assert ["one", "three", "two"] == sorted(found.weights)
    assert all(each.after_db > each.before_db for each in account.layers)
    assert ({}, 4) == (account.left, account.samples)
    plain = quantized(model, ranges)
    for name in ("w", "v", "u"):
        assert np.array_equal(constant(plain, f"{name}_scale"), constant(better, f"{name}_scale"))
    assert [3, 3, 3] == [len(node.input) for node in better.graph.node if node.op_type == "Conv"]


def test_no_number_of_threads_changes_a_bit():
    """Nor another run."""
    model, feeds = convolutional(), feeds_of(4, 1, 3, 8, 8)
    ranges = observed(model, {"x": np.concatenate([each["x"] for each in feeds])})

    one, other = (adjusted(model, ranges, feeds, BOTH, threads=n)[0] for n in (1, 3))

    assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)


def test_what_cannot_be_adjusted_is_left_with_a_reason():
    """A MatMul gets no bias that it has not, and a weight that two read is theirs as it is."""
    text = """g (float[N,4] x) => (float[N,4] y) {
        [one] a = MatMul(x, w)  r = Relu(a)  [two] y = MatMul(r, w)
    }"""
    model, feeds = seeded(text, w=(4, 4)), feeds_of(2, 8, 4)
    ranges = observed(model, feeds[0])

    for given, reason in [(BIAS, "it has no bias"), (ROUNDING, "another layer reads")]:
        better, account, _ = adjusted(model, ranges, feeds, given)

        assert {"one", "two"} == set(account.left)
        assert all(why.startswith(reason) for why in account.left.values())
        assert quantized(model, ranges) == better


def test_layers_that_stay_float_are_no_layers_here():
    """They are run as they are."""
    model, feeds = convolutional(), feeds_of(2, 1, 3, 8, 8)
    ranges = observed(model, feeds[0])
    requests = PrecisionRequests.among(model.graph.node, skip=("two",))

    int8 = quantized(model, ranges, requests=requests)

    assert ["one", "three"] == [layer.name for layer in find_layers(int8)]


def test_a_transposed_convolution_has_its_bias_corrected():
    """With groups too: every output channel has a value of its own."""
    text = """g (float[N,4,3,3] x) => (float[N,6,6,6] y) {
        [one] y = ConvTranspose<group=2, strides=[2,2]>(x, w)
    }"""
    model, feeds = seeded(text, w=(4, 3, 2, 2)), feeds_of(3, 1, 4, 3, 3)
    requests = PrecisionRequests.among(model.graph.node, precision={"one": "int8"})
    ranges = observed(model, feeds[0])

    _, account, found = adjusted(model, ranges, feeds, BOTH, requests=requests)

    assert (6,) == found.shifts["one"].shape
    assert {"one": "its layout is not one that is rounded"} == account.left


def test_nothing_to_write_changes_nothing(tmp_path):
    """An empty table, as of a model that came quantized."""
    from trtbuild.quant.adjusting.table import Adjustments

    Adjustments().write(tmp_path / "t.npz")
    model = quantized(convolutional(), ranges_of(x=3.0, r=3.0, d=3.0))
    before = model.SerializeToString(deterministic=True)

    write_adjustments(model, Adjustments.read(tmp_path / "t.npz"))

    assert before == model.SerializeToString(deterministic=True)
