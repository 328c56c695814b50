"""From a graph to the model it stands for, and back."""

from __future__ import annotations

import numpy as np

from tests.helpers.models import model_of
from trtbuild.fixes.rewriting import bring_into_form, read_graph, rewrite, write_model

BRANCHES = """g (float[N, 2] x, bool c) => (float[N, 2] y) { a = Add(x, k)
    y = If (c) <then_branch = t () => (float[N, 2] p) { p = Add(a, k) },
                else_branch = e () => (float[N, 2] q) { q = Neg(a) }> }"""
WEIGHT = {"k": np.array([1, 2], np.float32)}


def graph_in_form():
    model = model_of(BRANCHES, WEIGHT)
    bring_into_form(model)
    return read_graph(model)


def test_constants_lie_in_the_main_graph():
    """ONNX-GraphSurgeon would write them into each branch as well."""
    model = write_model(graph_in_form())
    branches = [each.g for node in model.graph.node for each in node.attribute]

    assert ["k"] == [tensor.name for tensor in model.graph.initializer]
    assert [0, 0] == [len(branch.initializer) for branch in branches]


def test_a_graph_is_what_became_of_its_model():
    """Nodes, ends and opset; in place, for whoever holds it."""
    graph = graph_in_form()

    def change(model):
        made = model_of("g (float[N, 2] z) => (float[N, 2] u) { u = Relu(z) }")
        made.opset_import[0].version = 18
        return made

    rewrite(graph, change)

    assert (["Relu"], ["z"], ["u"], 18) == (
        [node.op for node in graph.nodes],
        [each.name for each in graph.inputs],
        [each.name for each in graph.outputs],
        graph.opset,
    )
