"""replace_op: another operator in the place of one."""

from __future__ import annotations

import pytest

from tests.helpers.models import HEADER, graph_of, model_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.replace_op import ReplaceOp

TEXT = "g (float[N] x) => (float[N] y) { [one] a = LeakyRelu<alpha = 0.2>(x)  [two] y = Elu(a) }"


def replace(op, by, **more):
    return ReplaceOp(kind="replace_op", op=op, by=by, **more)


def node_of(graph, name):
    return next(node for node in graph.nodes if node.name == name)


def test_a_node_of_another_domain_becomes_onnx():
    """Its attributes are said anew; those that stay are named."""
    head = HEADER.replace("17]", '17, "my.ops" : 1]')
    graph = graph_of(head + "g (float[N] x) => (float[N] y) { [n] y = my.ops.Slope<k = 1>(x) }")
    log = replace("Slope", "LeakyRelu", attributes={"alpha": 1}, keep=()).apply(graph)
    node = node_of(graph, "n")

    assert ("LeakyRelu", None, {"alpha": 1.0}) == (node.op, node.domain, node.attrs)
    assert ["n: Slope → LeakyRelu"] == log.changes


def test_attributes_alone_change():
    """The operator stays; 0.5 is set once."""
    graph = graph_of(TEXT)
    fix = replace("LeakyRelu", "LeakyRelu", attributes={"alpha": 0.5})

    assert ["one: attributes"] == fix.apply(graph).changes
    assert [] == fix.apply(graph).changes
    assert 0.5 == node_of(graph, "one").attrs["alpha"]


def test_a_plugin_takes_the_place_of_an_operator():
    """TensorRT finds it by its name."""
    fixed, accounts = apply_fixes(model_of(TEXT), [replace("Elu", "MyElu", by_domain="acme")])

    assert "MyElu" == fixed.graph.node[1].op_type
    assert (
        "not compared with those before: ONNX Runtime has no plugins"
        in (accounts.fixes[0].remarks[-1])
    )


def test_how_far_results_move_is_said():
    """Where ONNX Runtime knows both."""
    _, accounts = apply_fixes(model_of(TEXT), [replace("Elu", "Relu", keep=())])

    assert accounts.fixes[0].remarks[-1].startswith("replace_op: `y` moved by 0 %")


def test_nodes_can_be_chosen():
    """By name or pattern; of others nothing changes."""
    with pytest.raises(StepInputError, match="no node is a Elu named on\\*") as caught:
        replace("Elu", "Relu", nodes=("on*",)).apply(graph_of(TEXT))
    assert "operators there: Elu, LeakyRelu" == caught.value.hint


def test_an_attribute_that_the_new_one_lacks_is_refused():
    """Named with those that it has."""
    with pytest.raises(StepInputError, match="Relu has no attribute `alpha`, which `one`"):
        replace("LeakyRelu", "Relu").apply(graph_of(TEXT))
