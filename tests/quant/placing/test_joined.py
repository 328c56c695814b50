"""Values of unlike size that a Concat would put under one scale."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import random
from trtbuild.core.values import Range, Ranges
from trtbuild.model.view import GraphView
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.placing.joined import explain_loss, list_joined
from trtbuild.quant.placing.policy import list_candidates, list_observed
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.quant.rules.model_checks import check_against_rules
from trtbuild.quant.rules.subject import RuleSubject

TEXT = """
g (float[N,6,3] x, float[N,6,2] xy) => (float[N,6,4] y) {
  f = Sigmoid(x)
  [cat] c = Concat <axis: int = 2> (f, xy, grid)
  r = Transpose <perm: ints = [0, 2, 1]> (c)
  t = Transpose <perm: ints = [0, 2, 1]> (r)
  [one] h = MatMul(t, w)
  [two] y = MatMul(h, v)
}
"""


def model(grid=0.0):
    weights = {"w": random(6, 4), "v": random(4, 4), "grid": random(1, 6, 1) * 0 + grid}
    return model_of(TEXT.replace("float[N,6,", "float[1,6,"), weights)


def ranges(**limits):
    known = {"f": 1.0, "t": 640.0, "h": 9.0} | limits
    table = {name: Range(low=0.0, high=each, origin="calibrated") for name, each in known.items()}
    return Ranges(tensors=table)


def quantized(found, **options):
    return quantize_model(model(), ranges=found, requests=PrecisionRequests(**options))


def test_calibration_looks_at_what_is_joined():
    """Through what hands values on; a constant is known."""
    assert ["t", "h"] == list_candidates(model())
    assert ["t", "h", "xy", "f"] == list_observed(model())
    assert ["xy", "f"] == list_joined(GraphView(model()), ["t"])


@pytest.mark.parametrize(
    ("expected", "limits", "grid"),
    [
        ("`xy` (±640): one scale leaves `f` 0.2 of 127 steps", {"xy": 640}, 0),
        ("`grid` (±99): one scale leaves `f` 1.3 of 127 steps", {"xy": 9}, 99),
        ("", {"xy": 63}, 0),
        ("", {"xy": 640, "f": 0}, 0),
        ("", {}, 0),
    ],
)
def test_an_input_that_one_scale_would_lose_is_named(expected, limits, grid):
    """With both limits; one that is zero, or not known, loses nothing."""
    told = explain_loss(GraphView(model(grid)), "t", ranges(**limits).tensors)

    assert expected == told.removeprefix("`cat` joins `f` (±1) with ")


@pytest.mark.parametrize(
    "way",
    [
        "Pad(c, pads)",
        "Relu(c)",
        'Resize <mode = "linear"> (c, none, scales)',
        "Gather <axis = 1> (c, taken)",
    ],
)
def test_an_input_is_lost_through_whatever_keeps_its_size_too(way):
    """Of all that is between a Concat and a layer, not only of what passes INT8 on."""
    text = TEXT.replace("Transpose <perm: ints = [0, 2, 1]> (c)", way)
    values = {
        "w": random(6, 4),
        "v": random(4, 4),
        "grid": random(1, 6, 1) * 0,
        "pads": np.zeros(6, np.int64),
        "none": np.zeros(0, np.float32),
        "scales": np.ones(3, np.float32),
        "taken": np.arange(6),
    }
    view = GraphView(model_of(text.replace("float[N,6,", "float[1,6,"), values))

    assert ["xy", "f"] == list_joined(view, ["t"])
    assert explain_loss(view, "t", ranges(xy=640.0).tensors)


@pytest.mark.parametrize(
    ("steps", "way", "own"),
    [
        ("0.2", "[way] t = Mul(c, hundredth)", 6.4),
        ("0.2", "h0 = Add(c, shifts) [way] t = Div(h0, hundred)", 6.4),
        ("0.2", "h0 = Sub(shifts, c) h1 = Max(h0, shifts) [way] t = Mul(hundredth, h1)", 6.4),
        ("0.2", "s0 = Sigmoid(c) [way] t = Mul(c, s0)", 640.0),
        ("1.3", "h0 = Mul(c, hundredth) [way] t = Tanh(h0)", 1.0),
        ("", "[way] t = Mul(c, unlike)", 6.4),
        ("", "[way] t = Clip(c, low, one)", 1.0),
        ("", "[way] t = Div(hundred, c)", 100.0),
        ("", "[way] t = Mul(c, c)", 409600.0),
    ],
)
def test_an_input_is_lost_through_what_treats_all_values_alike(steps, way, own):
    """Counted in the Concat's own size; what gives each its own size may have mended it."""
    body = "g (float[1,4] f, float[1,4] xy) => (float[1,4] h) { [cat] c = Concat <axis: int = 1> "
    values = {
        "hundredth": np.float32(0.01),
        "hundred": np.full((1, 1), 100, np.float32),
        "shifts": np.linspace(-3, 3, 8, dtype=np.float32),
        "unlike": np.array([1] * 4 + [0.01] * 4, np.float32),
        "low": np.float32(-1),
        "one": np.float32(1),
        "w": random(8, 4),
    }
    view = GraphView(model_of(f"{body} (f, xy) {way} h = MatMul(t, w) }}", values))
    told = explain_loss(view, "t", ranges(xy=640.0, t=own).tensors)

    assert steps == told.partition("leaves `f` ")[2].removesuffix(" of 127 steps")


def test_a_part_that_is_cut_out_with_a_scale_of_its_own_loses_nothing():
    """A Slice of the small values alone is no join."""
    found = ranges(xy=640.0, t=1.0)

    assert "" == explain_loss(GraphView(model()), "t", found.tensors)


def test_a_layer_that_would_lose_an_input_is_left_float_and_warned_of():
    """TB403 names the Concat, both ranges and the layer; others stay INT8."""
    found = quantized(ranges(xy=640.0))
    subject = RuleSubject(model=found.model, account=found.account, ranges=found.ranges.tensors)
    faults = {each.code: each for each in check_against_rules(subject).faults}

    assert {"one": "fp32", "two": "int8"} == {e.name: e.precision for e in found.account.layers}
    assert ("cat",) == faults["TB403"].nodes
    assert "joins `f` (±1) with `xy` (±640)" in faults["TB403"].reason
    assert faults["TB403"].reason.endswith("`one` is left float for it")


def test_where_nothing_is_int8_for_it_the_way_out_is_quoted():
    """What TB201 says to write is what the recipe takes, and gives INT8."""
    found = quantized(ranges(xy=640.0), skip=["two"])
    subject = RuleSubject(model=found.model, account=found.account, ranges=found.ranges.tensors)
    (hint,) = (each.hint for each in check_against_rules(subject).faults if each.code == "TB201")
    asked = quantized(ranges(xy=640.0), skip=["two"], precision={"one": "int8"})

    assert 'write `precision: {"one": int8}` in `quantization`' in hint
    assert ["int8", "fp32"] == [layer.precision for layer in asked.account.layers]


def test_who_asks_for_int8_or_gives_a_range_gets_it():
    """They know; the rule warns all the same."""
    asked = quantized(ranges(xy=640.0), precision={"one": "int8"})
    table = ranges(xy=640.0).tensors
    table["t"] = table["t"].model_copy(update={"origin": "manual"})
    given = quantized(Ranges(tensors=table))

    for each in (asked, given):
        assert ["int8", "int8"] == [layer.precision for layer in each.account.layers]
        subject = RuleSubject(model=each.model, account=each.account, ranges=each.ranges.tensors)
        assert "TB403" in {fault.code for fault in check_against_rules(subject).faults}
