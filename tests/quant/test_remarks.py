from __future__ import annotations

import pytest

from tests.helpers.quant import ranges_of, seeded
from trtbuild.core.records import RequestedLayer
from trtbuild.core.values import Range, Ranges
from trtbuild.model.view import GraphView
from trtbuild.quant.account import WeightAccount
from trtbuild.quant.placing.policy import place_pairs
from trtbuild.quant.remarks import (
    note_distant,
    note_float_layers,
    note_idle_manual,
    note_unmatched_requests,
    note_weights,
)
from trtbuild.quant.requests import PrecisionRequests

MODEL = """g (float[N,4] x) => (float[N,4] y) {
    [one] a = MatMul(x, w)  [act] r = Relu(a)  [two] y = MatMul(r, w)
}"""


def test_layers_left_float_are_grouped_by_reason():
    """A line for each reason; INT8 layers need none; many names are counted."""
    layers = [
        RequestedLayer(name="a", op="Conv", precision="int8"),
        RequestedLayer(name="b", op="Conv", precision="fp32", reason="too odd"),
        *(
            RequestedLayer(name=f"c{i}", op="Gemm", precision="fp32", reason="too new")
            for i in range(7)
        ),
    ]

    assert [
        "Conv `b` stays float: too odd",
        "Gemm `c0`, Gemm `c1`, Gemm `c2`, Gemm `c3`, Gemm `c4` and 2 more stay float: too new",
    ] == list(note_float_layers(layers))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("x", []),
        ("*", []),
        ("none", ["the range for `none` has no effect: no tensor has such a name"]),
        ("a", ["the range for `a` has no effect: nothing reads it in INT8"]),
        ("r", ["the range for `r` has no effect: `two` reads it and stays float"]),
    ],
)
def test_a_manual_range_without_effect_says_why(pattern, expected):
    """Unknown, between a layer and its activation, or read by a layer that stays float."""
    model = seeded(MODEL, w=(4, 4))
    placement = place_pairs(
        model, ranges=ranges_of(x=1.0, r=1.0), requests=PrecisionRequests(("two",))
    )
    paired = {pair.tensor for pair in placement.pairs}

    assert expected == list(
        note_idle_manual(GraphView(model), paired, placement.layers, {pattern: (-1.0, 1.0)})
    )


@pytest.mark.parametrize(("limit", "told"), [(1.0, True), (100.0, False), (4000.0, True)])
def test_a_range_by_hand_far_from_what_was_seen_is_doubted(limit, told):
    """With both figures; pictures in 0..255 for a range of 0..1, or the other way round."""
    seen = Range(low=0.0, high=255.0, origin="calibrated", observed=(0.0, 255.0))
    ranges = Ranges(tensors={"x": seen.replace(-limit, limit, "manual"), "r": seen})

    notes = list(note_distant({"x", "r"}, ranges))

    assert told == any(f"`x`, ±{limit:g}, is far from the 0 to 255" in note for note in notes)
    assert told == bool(notes)


def test_a_pattern_that_means_no_node_is_told():
    """Names and operators both count; tensors' names do not."""
    view = GraphView(seeded(MODEL, w=(4, 4)))
    requests = PrecisionRequests(("r", "one", "op:Relu", "t*"), {"op:Conv": "fp32", "act": "fp32"})

    assert ["skip: `r` matches no node", "precision: `op:Conv` matches no node"] == list(
        note_unmatched_requests(view, requests)
    )


def test_dead_and_tiny_channels_are_counted():
    """One line each, over all the weights."""
    weights = [
        WeightAccount(name="v", axis=0, channels=8),
        WeightAccount(name="w", axis=0, channels=8, dead=(1, 2), tiny=(3,)),
        WeightAccount(name="u", axis=0, channels=4, dead=(0,)),
    ]

    assert [
        "weight channels that hold nothing but zeros: `w` 2 of 8, `u` 1 of 4",
        "weight channels that are under a millionth of their weight's largest value: `w` 1 of 8",
    ] == list(note_weights(weights))
