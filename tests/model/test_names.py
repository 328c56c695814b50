from __future__ import annotations

from tests.helpers.models import model_of
from trtbuild.model.names import NameGenerator


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
