from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from trtbuild.model.view import GraphView
from trtbuild.quant.flow import find_entries, share_limits


def sources(text, tensor, paired):
    view = GraphView(model_of(text))
    return [source for _, source in find_entries(view, tensor, dict.fromkeys(paired))]


@pytest.mark.parametrize(
    ("node", "passes"),
    [
        ("MaxPool<kernel_shape=[1,1]>(x)", True),
        ("Transpose(x)", True),
        ('Resize<mode="nearest">(x, , s)', True),
        ("Resize(x, , s)", True),
        ('Resize<mode="linear">(x, , s)', False),
        ("AveragePool<kernel_shape=[1,1]>(x)", False),
        ("Relu(x)", False),
        ("Concat<axis=1>(x, o)", True),
    ],
)
def test_int8_values_pass_through_what_only_moves_them(node, passes):
    """Linear resizing, averaging and arithmetic make new values."""
    text = f"""g (float[1,1,2,2] x, float[1,1,2,2] o) => (float y)
        <float[4] s = {{1, 1, 2, 2}}> {{ y = {node} }}"""

    assert (["x"] if passes else []) == sources(text, "y", ["x", "y"])


def test_values_pass_through_several_nodes_up_to_the_first_pair():
    """A pair on the way ends the search; what lies behind it is its own affair."""
    text = """g (float[1,1,2,2] x, float[1,1,2,2] o) => (float y) {
        a = Transpose(x)  b = Transpose(a)
        c = Concat<axis=1>(b, o)  y = MaxPool<kernel_shape=[1,1]>(c)
    }"""

    assert ["o", "x"] == sorted(sources(text, "y", ["x", "o", "y"]))
    assert ["a"] == sources(text, "y", ["x", "a", "y"])


def test_joined_tensors_get_the_largest_limit():
    """1.5, 2 and 3 are within a factor of two of each other."""
    limits, others = share_limits({"a": 1.5, "b": 2.0, "c": 3.0}, [("a", "b"), ("b", "c")], ())

    assert {"a": 3.0, "b": 3.0, "c": 3.0} == limits
    assert {"a": ("b", "c"), "b": ("a", "c"), "c": ("a", "b")} == others


def test_a_chain_never_costs_a_tensor_more_than_a_bit():
    """1 joins 2, 2 would join 4: but 1 would be under a scale of 4."""
    limits, others = share_limits({"a": 1.0, "b": 2.0, "c": 4.0}, [("a", "b"), ("b", "c")], ())

    assert {"a": 2.0, "b": 2.0, "c": 4.0} == limits
    assert () == others["c"]


def test_fixed_tensors_keep_their_limits():
    """Neither side of a join may move."""
    limits, _ = share_limits({"a": 1.5, "b": 2.0}, [("a", "b")], ["b"])

    assert {"a": 1.5, "b": 2.0} == limits
