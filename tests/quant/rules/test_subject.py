"""What the rules see of a model."""

from __future__ import annotations

import pytest

from tests.helpers.rules import ONE, W, X, conv, graph, qdq, two
from trtbuild.quant.rules.subject import RuleSubject


def subject(body, **more):
    known = {name: more.pop(name) for name in ("allow_float",) if name in more}
    return RuleSubject(model=graph(body, **more), **known)


def test_a_layer_is_int8_where_both_operands_are():
    """Its dequantizers are those behind its operands, in their order."""
    (found,) = subject(ONE).layers

    assert ("one", "Conv", True) == (found.name, found.op, found.quantized)
    assert ["x_dq", "w_dq"] == [each.name for each in found.operands]


@pytest.mark.parametrize(
    ("expected", "between"),
    [
        (True, "t = Transpose<perm=[0,1,3,2]>(x_dq)"),
        (True, "i = Identity(x_dq) t = Reshape(i, sh)"),
        (False, "t = Relu(x_dq)"),
        (False, "t = Concat<axis=0>(x_dq)"),
    ],
)
def test_values_that_only_move_are_still_quantized(expected, between):
    """What computes, or joins, makes floats of them."""
    body = f"{X} {between} {W} {conv('one', 't', 'y', 'w_dq')}"
    (found,) = subject(body, more=", int64[4] sh = {1, 8, 8, 8}").layers

    assert expected == found.quantized


def test_a_weight_is_stored_and_an_activation_streams():
    """Each pair is one or the other."""
    found = subject(ONE)

    assert ["w"] == [each.tensor for each in found.stored.values()]
    assert ["x"] == [each.tensor for each in found.streams]


def test_where_a_scale_is_computed_nothing_is_taken_for_int8():
    """The node is found, and what can be read is read; no rule builds on the rest."""
    found = subject(
        f"made = ReduceMax<keepdims=0>(x) {W} {qdq('x', 'made')} {conv('one', 'x_dq', 'y', 'w_dq')}"
    )

    assert ["x_q", "x_dq"] == [found.node_name(index) for index in found.computed]
    assert ["w_q", "w_dq"] == [each.name for each in found.linears.values()]
    assert () == found.streams
    assert [(None, None)] == [layer.operands for layer in found.layers]


@pytest.mark.parametrize(
    ("expected", "allowed"),
    [(["one", "two"], ()), (["two"], ("one",)), ([], ("op:Conv",)), ([], ("t*", "o*"))],
)
def test_what_may_be_float_is_not_requested(expected, allowed):
    """By name, by operator, by pattern."""
    found = subject(two("b = Relu(a)", tail="y = Relu(c)"), allow_float=allowed)

    assert expected == [layer.name for layer in found.requested_layers]
