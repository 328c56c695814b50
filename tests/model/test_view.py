from __future__ import annotations

import numpy as np

from tests.helpers.models import model_of
from tests.helpers.quant import normal, seeded
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView


def test_shapes_are_inferred_without_the_weights_values():
    """A large weight is known by its dimensions; a small constant by its values."""
    view = GraphView(
        model_of(
            """g (float[N,64] x) => (float[M,8] z) <int64[2] shape = {-1, 8}> {
                a = MatMul(x, w)  t = Transpose(w)  y = Reshape(a, shape)  z = Neg(y)
            }""",
            {"w": normal(64, 32)},
        )
    )

    assert (None, 32) == view.dims("a")
    assert (32, 64) == view.dims("t")
    assert (None, 8) == view.dims("y")
    assert ("float", "int64", None) == (
        view.dtype("t"),
        view.dtype("shape"),
        view.dtype("unknown"),
    )


def test_what_a_subgraph_reads_is_read():
    """A tensor that an If's body captures has a reader that no list of operands shows."""
    view = GraphView(
        model_of("""g (float[2] x, bool c) => (float[2] y) {
            a = Neg(x)  b = Abs(a)
            y = If(c) <
                then_branch = t () => (float[2] s) { s = Relu(a) },
                else_branch = e () => (float[2] d) { d = Relu(b) }
            >
        }""")
    )

    assert frozenset({"a", "b", "s", "d"}) == view.captured
    assert not view.is_read("a", times=1)


def test_activations_are_inputs_and_results():
    """In graph order, without constants."""
    view = GraphView(
        seeded(
            "g (float[N,2] x) => (float[N,2] y) { c = Constant<value_int = 1>() "
            "a = MatMul(x, w)  y = Neg(a) }",
            w=(2, 2),
        )
    )

    assert ["x", "c", "a", "y"] == view.activations
    assert view.is_constant("c")


def test_nameless_nodes_go_by_their_output():
    """So that every node can be named."""
    named, nameless = model_of(
        "g (float[2] x) => (float[2] y) { [n] a = Neg(x)  y = Neg(a) }"
    ).graph.node

    assert ("n", "y") == (name_of(named), name_of(nameless))


def test_an_operator_that_nobody_knows_has_no_type():
    """Inference goes on behind it as far as it can."""
    model = model_of("g (float[2] x) => (float[2] y) { a = Neg(x)  y = Neg(a) }")
    model.graph.node[0].domain = "somebody"
    model.opset_import.add(domain="somebody", version=1)

    assert GraphView(model).dtype("a") is None
    assert np.array_equal(GraphView(model).dims("y"), (2,))
