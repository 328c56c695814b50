"""drop_identity: `y = Identity(x)` → readers of y read x."""

from __future__ import annotations

import pytest

from tests.helpers.models import graph_of
from trtbuild.fixes.drop_identity import DropIdentity

DROP = DropIdentity(kind="drop_identity")


def ops(graph):
    return [node.op for node in graph.cleanup().nodes]


def test_drop_identity_keeps_the_signature():
    """An Identity inside goes; the one that names the output stays, and says so."""
    graph = graph_of(
        "g (float[N, 3] x) => (float[N, 3] y) { a = Identity(x)  b = Add(a, a)  y = Identity(b) }"
    )
    account = DROP.apply(graph)

    assert ["Add", "Identity"] == ops(graph)
    assert ("its output is a graph output",) == account.reasons


def test_a_chain_of_identities_goes_at_once():
    """What is left reads the first one's input, on every place where it read the last one's."""
    graph = graph_of(
        "g (float[N] x) => (float[N] y) { a = Identity(x) b = Identity(a) y = Add(b, b) }"
    )
    DROP.apply(graph)

    assert ["Add"] == ops(graph)
    assert ["x", "x"] == [tensor.name for tensor in graph.nodes[0].inputs]


def test_dropout_in_inference_is_an_identity():
    """With no training flag, or one that is constantly false."""
    graph = graph_of(
        """g (float[N] x) => (float[N] y) <bool no = {0}, float r = {0.5}> {
        a = Dropout(x)  b, mask = Dropout(a, r, no)  y = Relu(b) }"""
    )
    account = DROP.apply(graph)

    assert ["Relu"] == ops(graph)
    assert 2 == len(account.changes)


STAYS = {
    "it may be training": """g (float[N] x, bool t) => (float[N] y) <float r = {0.5}>
        { a = Dropout(x, r, t)  y = Relu(a) }""",
    "it may be training, constantly": """g (float[N] x) => (float[N] y)
        <bool t = {1}, float r = {0.5}> { a = Dropout(x, r, t)  y = Relu(a) }""",
    "its mask is read": """g (float[N] x) => (float[N] y)
        { a, m = Dropout(x)  b = Cast<to = 1>(m)  y = Add(a, b) }""",
    "its mask is read, from outside": """g (float[N] x) => (float[N] y, bool[N] m)
        { a, m = Dropout(x)  y = Relu(a) }""",
}


@pytest.mark.parametrize("case", STAYS)
def test_what_stays_says_why(case):
    """Where dropping it would change a result, nothing is changed."""
    graph = graph_of(STAYS[case])
    before = ops(graph)
    account = DROP.apply(graph)

    assert (case.partition(",")[0],) == account.reasons
    assert before == ops(graph)


def test_readers_inside_subgraphs_are_moved_too():
    """A branch that read the Identity's result reads its input."""
    graph = graph_of(
        """g (float[N] x, bool c) => (float[N] y) { a = Identity(x)
        y = If (c) <then_branch = t () => (float[N] p) { p = Relu(a) },
                    else_branch = e () => (float[N] q) { q = Neg(a) }> }"""
    )
    DROP.apply(graph)

    assert ["If"] == ops(graph)
    branch = graph.nodes[0].attrs["then_branch"]
    assert ["x"] == [tensor.name for tensor in branch.nodes[0].inputs]
