"""Nodes, and those in their bodies."""

from __future__ import annotations

from tests.helpers.models import model_of
from trtbuild.model.nodes import iterate_constants, iterate_nodes


def test_nodes_in_bodies_come_after_those_around_them():
    """However deep they lie."""
    text = """m (float[2] x, bool c) => (float[2] y) {
        y = If(c) <
            then_branch = t () => (float[2] a) {
                a = If(c) <
                    then_branch = u () => (float[2] d) { d = Relu(x) },
                    else_branch = v () => (float[2] e) { e = Neg(x) }
                >
            },
            else_branch = w () => (float[2] b) { b = Abs(x) }
        >
    }"""
    nodes = model_of(text).graph.node

    assert ["y", "a", "d", "e", "b"] == [node.output[0] for node in iterate_nodes(nodes)]


def test_constants_come_with_the_attribute_that_holds_them():
    """A tensor or a number."""
    text = """m (float[2] x) => (float[2] y) {
        c = Constant<value = float[2] {1, 2}>()  k = Constant<value_int = 3>()  y = Add(x, c)
    }"""
    found = iterate_constants(model_of(text).graph.node)

    assert [("c", "value"), ("k", "value_int")] == [(name, each.name) for name, each in found]
