from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from trtbuild.quant.names import Names, chosen_by, means


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("/layer1/conv", True),
        ("*/conv", True),
        ("op:Conv", True),
        ("op:Conv*", True),
        ("op:MatMul", False),
        ("Conv", False),
        ("conv", False),
    ],
)
def test_a_pattern_means_a_name_or_after_op_an_operator(pattern, meant):
    """A bare operator's name is no pattern for it: names and operators stay apart."""
    assert meant == means(pattern, "/layer1/conv", "Conv")


def test_the_first_pattern_that_means_a_node_is_told():
    """It is what the account quotes."""
    assert "*conv" == chosen_by(["x", "*conv", "op:Conv"], "my_conv", "Conv")
    assert chosen_by([], "my_conv", "Conv") is None


def test_names_are_new():
    """Tensors, nodes, and names inside subgraphs are all taken."""
    model = model_of("""g (float[2] a, bool c) => (float[2] y) {
        [a_1] b = Relu(a)
        y = If(c) <
            then_branch = t () => (float[2] a_2) { a_2 = Relu(b) },
            else_branch = e () => (float[2] d) { d = Relu(b) }
        >
    }""")
    names = Names(model.graph)

    assert ["a_3", "a_4", "fresh", "y_1"] == [
        names.fresh(wanted) for wanted in ("a", "a", "fresh", "y")
    ]
