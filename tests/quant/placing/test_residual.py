from __future__ import annotations

import pytest

from tests.helpers.quant import seeded
from trtbuild.model.view import GraphView
from trtbuild.quant.placing.residual import find_residuals


def residuals(body, outputs="float[N,4,8,8] y"):
    model = seeded(
        f"g (float[N,4,8,8] x, float[N,4,8,8] o) => ({outputs}) {{ {body} }}",
        w=(4, 4, 1, 1),
        b=(1, 4, 1, 1),
        g=(4,),
    )
    nodes = model.graph.node
    return [
        (nodes[found.add].input[found.skip], nodes[found.conv].output[0])
        for found in find_residuals(GraphView(model))
    ]


@pytest.mark.parametrize(
    "between",
    [
        "f = Identity(c)",
        "f = Relu(c)",
        "f = BatchNormalization(c, g, g, g, g)",
        "f = Add(c, b)",
        "t = Mul(b, c)  f = HardSwish(t)",
        "t = Sigmoid(c)  f = Mul(c, t)",
        "t = Sigmoid(c)  f = Mul(t, c)",
    ],
)
def test_what_is_fused_into_a_conv_may_lie_before_the_add(between):
    """BatchNorm, bias, activation and SiLU."""
    assert [("x", "c")] == residuals(f"c = Conv(x, w)  {between}  y = Add(f, x)")


@pytest.mark.parametrize(
    "body",
    [
        "c = Conv(x, w)  y = Add(c, b)",
        "y = Add(x, o)",
        "c = Conv(x, w)  y = Add(c, c)",
        "c = Conv(x, w)  p = MaxPool<kernel_shape=[1,1]>(c)  y = Add(p, x)",
        "c = Conv(x, w)  m = Mul(c, o)  y = Add(m, x)",
        "c = Conv(x, w)  t = Sigmoid(c)  m = Mul(c, t)  s = Add(m, c)  y = Neg(s)",
    ],
    ids=["bias", "no conv", "twice the same", "pooling", "gate of another", "conv read again"],
)
def test_an_add_without_a_fresh_conv_is_no_residual(body):
    """Then nothing is fused, and INT8 would save nothing."""
    assert [] == residuals(body)


def test_a_conv_output_that_leaves_the_graph_is_not_fresh():
    """The builder has to write it, so the Add cannot swallow it."""
    body = "c = Conv(x, w)  y = Add(c, x)"

    assert [] == residuals(body, outputs="float[N,4,8,8] c, float[N,4,8,8] y")


def test_of_two_equal_ways_the_second_input_is_the_skip():
    """As in NVIDIA's ModelOpt."""
    assert [("d", "c")] == residuals("c = Conv(x, w)  d = Conv(x, w)  y = Add(c, d)")


def test_branches_from_different_inputs_have_no_parting():
    """Then too the second input is the skip."""
    assert [("d", "c")] == residuals("c = Conv(x, w)  d = Conv(o, w)  y = Add(c, d)")
