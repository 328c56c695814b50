"""Where INT8 layers hang together, and where floats stand between them."""

from __future__ import annotations

from tests.helpers.rules import ONE, V, W, X, conv, graph, qdq, two
from trtbuild.quant.rules.islands import find_islands
from trtbuild.quant.rules.subject import RuleSubject


def islands(body, **weights):
    subject = RuleSubject(model=graph(body, **weights))
    return find_islands(subject.view, [layer.index for layer in subject.layers if layer.quantized])


def test_layers_with_fused_operators_between_are_one_island():
    """A Relu, and a skip, become part of the kernels."""
    found = islands(two("b = Relu(a)", tail="[join] y = Add(c, x_dq)"))

    assert (1, ()) == (found.count, found.float_edges)


def test_pooling_passes_int8_on():
    """MaxPool as it is; an average where it reads INT8."""
    pooled = "b = MaxPool<kernel_shape=[1,1]>(a)"
    averaged = f"{qdq('a')} b = AveragePool<kernel_shape=[1,1]>(a_dq)"

    assert [1, 1] == [islands(two(each)).count for each in (pooled, averaged)]


def test_a_float_layer_parts_two_islands():
    """And its result is the float edge between them."""
    found = islands(two("[middle] b = Conv(a, u)"), u=(8, 8, 1, 1))

    assert (2, ("b",)) == (found.count, found.float_edges)


def test_branches_that_part_in_float_are_two_islands_without_an_edge():
    """Nothing flows from one to the other."""
    body = f"""{X} {W} {V} {conv("one", "x_dq", "a", "w_dq")} {conv("two", "x_dq", "b", "v_dq")}
        y = ReduceMean(a)"""

    assert (2, ()) == (islands(body).count, islands(body).float_edges)


def test_a_model_without_int8_has_no_islands():
    """Nothing to group."""
    assert 0 == islands(ONE.replace("x_dq, w_dq", "x, w")).count
