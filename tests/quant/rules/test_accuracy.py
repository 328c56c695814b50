"""Where the rules about accuracy begin to speak: just beyond their borders."""

from __future__ import annotations

import pytest

from tests.helpers.rules import W, X, account, by_hand, conv, graph, qdq, seen
from trtbuild.core.values import Range
from trtbuild.quant.rules.accuracy import (
    clipped_far,
    idle_range,
    misfitting_range,
    quantized_decode,
    unlike_scales,
)
from trtbuild.quant.rules.subject import RuleSubject

ONE = f"{X} {W} {conv('one', 'x_dq', 'y', 'w_dq')}"


def subject(body=ONE, *, more="", **known):
    return RuleSubject(model=graph(body, more=more), **known)


@pytest.mark.parametrize(
    ("expected", "scale"), [([], 0.8), (["join"], 0.85), (["join"], 0.003), ([], 0.00313)]
)
def test_scales_may_be_sixteen_times_apart(expected, scale):
    """Of 0.05 and another, whichever is the larger."""
    body = f"{X} a = Relu(x) {qdq('a', 'near')} [join] y = Add(x_dq, a_dq)"
    found = subject(body, more=f", float near = {{{scale}}}")

    assert expected == [node for node, _ in unlike_scales(found)]


def test_a_float_among_what_is_joined_has_no_scale():
    """There is nothing to compare."""
    assert [] == list(unlike_scales(subject(f"{X} [join] y = Add(x_dq, x)")))


@pytest.mark.parametrize(
    ("expected", "known"),
    [
        ([], seen(8.0)),
        (["x"], seen(8.1)),
        ([], seen(8.1).model_copy(update={"origin": "manual"})),
        ([], seen(8.1).model_copy(update={"observed": None})),
        ([], Range(low=0.0, high=0.0, origin="calibrated", observed=(0.0, 0.0))),
    ],
)
def test_a_limit_may_lie_eight_times_below_what_was_seen(expected, known):
    """A manual one anywhere: somebody chose it."""
    assert expected == [tensor for tensor, _ in clipped_far(subject(ranges={"x": known}))]


@pytest.mark.parametrize(
    ("expected", "limit", "cut"),
    [
        ("", 8.0, {}),
        ("is far wider than what calibration saw, ±8: 15 of 127 steps are used", 70.0, {}),
        ("", 6.0, {}),
        ("cuts off what calibration saw beyond it, up to ±8", 5.0, {}),
        (
            (
                "cuts off 25.00 % of the values that calibration saw, up to ±8: that alone leaves "
                "the tensor 12.5 dB"
            ),
            5.0,
            {"clipped": 0.25, "clipped_db": 12.5},
        ),
        ("", 5.0, {"clipped": 0.01, "clipped_db": 30.0}),
    ],
)
def test_a_range_by_hand_may_cut_off_a_tail(expected, limit, cut):
    """What it costs is told, where values were counted; else how far they went."""
    found = list(misfitting_range(subject(ranges={"x": by_hand(limit, 8.0, **cut)})))

    assert ([("x", f"its range by hand, ±{limit:.4g}, {expected}")] if expected else []) == found


JOINED = f"""{qdq("w")} {X} [join] c = Concat <axis: int = 1> (x_dq, a)  {qdq("c")}
    [one] y = Conv(c_dq, w_dq)"""


@pytest.mark.parametrize(("expected", "limit"), [([], 16.0), (["join"], 16.1), ([], None)])
def test_what_is_joined_under_one_scale_may_be_sixteen_times_apart(expected, limit):
    """By the ranges of its inputs; where one is not known there is nothing to compare."""
    sizes = {"x_dq": 1.0, "c": limit or 1.0}
    ranges = {n: Range(low=0.0, high=each, origin="calibrated") for n, each in sizes.items()}
    if limit:
        ranges["a"] = Range(low=-limit, high=1.0, origin="calibrated")
    model = graph(JOINED, inputs="float[1,4,8,8] x, float[1,4,8,8] a")

    assert expected == [node for node, _ in unlike_scales(RuleSubject(model=model, ranges=ranges))]


@pytest.mark.parametrize(
    ("expected", "entry"), [(["y"], "y"), ([], "y*"), (["y"], None), ([], "*")]
)
def test_a_pattern_may_bring_a_range_that_nothing_needs(expected, entry):
    """It means more tensors than this; a name means this one."""
    manual = Range(low=-1.0, high=1.0, origin="manual", entry=entry)
    found = subject(ranges={"y": manual}, account=account(("one", "int8", ""), tensors=("x",)))

    assert expected == [tensor for tensor, _ in idle_range(found)]


def test_of_a_model_without_an_account_nobody_knows_what_is_idle():
    """It was not quantized here."""
    manual = Range(low=-1.0, high=1.0, origin="manual", entry="y")

    assert [] == list(idle_range(subject(ranges={"y": manual})))


def test_what_leads_to_a_layer_decodes_nothing():
    """A Sigmoid in the middle (a gate) is no head; behind the last layer it is."""
    gate = f"{X} g = Sigmoid(x_dq) {W} {conv('one', 'g', 'y', 'w_dq')}"
    head = f"{X} [head] y = Sigmoid(x_dq)"

    assert [] == list(quantized_decode(subject(gate)))
    assert ["head"] == [node for node, _ in quantized_decode(subject(head))]
