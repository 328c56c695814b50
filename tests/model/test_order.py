"""Nodes stand behind what they read."""

from __future__ import annotations

import onnx
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.model.order import sort_nodes

HEADER = '<ir_version: 8, opset_import: ["" : 17]>\n'


def parsed(text):
    return onnx.parser.parse_model(HEADER + text)


def names(graph):
    return [node.output[0] for node in graph.node]


def test_nodes_are_put_behind_those_they_read():
    """As a float16 converter leaves them: its Casts at the end."""
    model = parsed("g (float[N] x) => (float[N] y) { b = Relu(a)  y = Neg(b)  a = Abs(x) }")

    assert sort_nodes(model.graph, "here")
    assert ["a", "b", "y"] == names(model.graph)
    onnx.checker.check_model(model)


def test_an_order_that_serves_is_left_alone():
    """Byte for byte: b before a would do as well."""
    model = parsed("g (float[N] x) => (float[N] y) { b = Relu(x)  a = Abs(x)  y = Add(a, b) }")
    before = model.SerializeToString(deterministic=True)

    assert not sort_nodes(model.graph, "here")
    assert before == model.SerializeToString(deterministic=True)


def test_only_what_must_move_moves():
    """Of nodes that may stand in any order, the first in the file stays the first."""
    model = parsed(
        "g (float[N] x) => (float[N] y) { c = Relu(b)  d = Neg(x)  e = Abs(x)  b = Abs(d)"
        "  y = Sum(c, e) }"
    )
    sort_nodes(model.graph, "here")

    assert ["d", "e", "b", "c", "y"] == names(model.graph)


BRANCH = """g (float[N] x, bool c) => (float[N] y) {
    y = If (c) <then_branch = t () => (float[N] p) { p = Neg(q)  q = Relu(z) },
                else_branch = e () => (float[N] r) { r = Neg(x) }>
    z = Abs(x) }"""


def test_a_branch_waits_for_what_it_reads_and_is_sorted_itself():
    """z is made behind the If whose branch reads it."""
    model = parsed(BRANCH)
    sort_nodes(model.graph, "here")

    assert ["z", "y"] == names(model.graph)
    assert ["q", "p"] == names(model.graph.node[1].attribute[0].g)
    onnx.checker.check_model(model)


def test_a_name_within_a_branch_is_not_waited_for():
    """What a branch makes itself, nobody outside has to make before."""
    model = parsed(BRANCH.replace("z = Abs(x)", "z = Abs(x)  v = Neg(w)  w = Relu(y)"))
    model.graph.node[0].attribute[0].g.node[1].output[0] = "w"
    model.graph.node[0].attribute[0].g.node[0].input[0] = "w"
    sort_nodes(model.graph, "here")

    assert ["z", "y", "w", "v"] == names(model.graph)


def test_a_circle_is_refused():
    """No order would do; a node of it is named."""
    model = parsed("g (float[N] x) => (float[N] y) { [one] a = Add(x, b)  b = Neg(a)  y = Abs(b) }")

    with pytest.raises(StepInputError, match=r"here: node `one` \(Add\) waits for"):
        sort_nodes(model.graph, "here")
