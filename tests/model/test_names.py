from __future__ import annotations

from tests.helpers.models import model_of
from trtbuild.model.names import NameGenerator, name_nameless, tell_apart


def test_names_are_new():
    """Tensors, nodes, and names inside subgraphs are all taken."""
    model = model_of("""g (float[2] a, bool c) => (float[2] y) {
        [a_1] b = Relu(a)
        y = If(c) <
            then_branch = t () => (float[2] a_2) { a_2 = Relu(b) },
            else_branch = e () => (float[2] d) { d = Relu(b) }
        >
    }""")
    names = NameGenerator(model.graph)

    assert ["a_3", "a_4", "fresh", "y_1"] == [
        names.fresh(wanted) for wanted in ("a", "a", "fresh", "y")
    ]


def names_of(graph):
    return [node.name for node in graph.node]


def test_nodes_that_share_a_name_are_told_apart():
    """The first keeps it; a number that is taken is passed over, and nameless nodes stay so."""
    model = model_of("""g (float[2] a) => (float[2] y) {
        [n] b = Relu(a)  [n_1] c = Relu(b)  [n] d = Relu(c)  e = Relu(d)  y = Neg(e)
    }""")

    assert ["n"] == tell_apart(model.graph)
    assert ["n", "n_1", "n_2", "", ""] == names_of(model.graph)
    assert [] == tell_apart(model.graph)


def test_nodes_of_two_branches_keep_the_name_they_share():
    """Each graph is told apart for itself."""
    model = model_of("""g (float[2] a, bool c) => (float[2] y) { [n] y = If(c) <
        then_branch = t () => (float[2] p) { [n] p = Relu(a) },
        else_branch = e () => (float[2] q) { [n] q = Neg(a) }> }""")

    assert [] == tell_apart(model.graph)


def test_a_nameless_node_is_called_after_its_result():
    """With a number where another node is called so."""
    model = model_of("g (float[2] a) => (float[2] y) { [y] b = Relu(a)  c = Abs(b)  y = Neg(c) }")
    name_nameless(model.graph)

    assert ["y", "c", "y_1"] == names_of(model.graph)
