from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal, ranges_of, sqnr_db
from trtbuild.core.errors import StepInputError
from trtbuild.model.folding import fold_value
from trtbuild.model.view import GraphView
from trtbuild.quant.apply import quantize_model

PATHS = {
    "transpose": "t = Transpose(w)",
    "reshape": "s = Constant<value_ints = [3, 2]>()  t = Reshape(w, s)",
    "cast": "h = Cast<to = 10>(w)  u = Transpose(h)  t = Cast<to = 1>(u)",
    "squeeze": "a = Constant<value = int64[1] {0}>()  u = Unsqueeze(w, a)  v = Squeeze(u, a)  "
    "t = Transpose(v)",
    "arithmetic": "b = Add(w, w)  c = Mul(b, w)  t = Transpose(c)",
}


def model(path):
    return model_of(
        f"""g (float[N,3] x) => (float[N,2] y)
        <float[2,3] w = {{1, 2, 3, 4, 5, 6}}> {{ {PATHS[path]}  [dense] y = MatMul(x, t) }}"""
    )


@pytest.mark.parametrize("path", PATHS)
def test_a_weight_is_followed_through_what_makes_it(path):
    """The layer is INT8 with a scale for each column, and the way to the weight is gone."""
    found = quantize_model(model(path), ranges=ranges_of(x=4.0))

    assert ["int8"] == [layer.precision for layer in found.account.layers]
    assert ["QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "MatMul"] == [
        node.op_type for node in found.model.graph.node
    ]
    assert "w" not in {tensor.name for tensor in found.model.graph.initializer}
    x = {"x": normal(8, 3)}
    assert sqnr_db(outputs_of(model(path), x)["y"], outputs_of(found.model, x)["y"]) > 35


def test_the_value_is_what_the_nodes_compute():
    """[[1, 2, 3], [4, 5, 6]] transposed."""
    assert [[1, 4], [2, 5], [3, 6]] == fold_value(GraphView(model("transpose")), "t").tolist()


def test_a_chain_may_be_long():
    """Each tensor is looked at once, however often it is read."""
    doubled = "  ".join(f"t{i + 1} = Add(t{i}, t{i})" for i in range(60))
    view = GraphView(
        model_of(f"g (float[2] x) => (float[2] t60) <float[2] t0 = {{1, 1}}> {{ {doubled} }}")
    )

    assert view.is_constant("t60")


def test_what_doubles_again_and_again_is_not_computed():
    """Thirty Concats of a list with itself; each is looked at once."""
    chain = " ".join(f"c{i + 1} = Concat<axis = 0>(c{i}, c{i})" for i in range(30))
    text = "g (float[N] x) => (float[M] y) <float[2] c0 = {1, 2}> {"
    made = model_of(f"{text} {chain}  y = Add(x, c30) }}")
    with pytest.raises(StepInputError, match=r"`c\d+` \(Concat\) .* would hold \d+ values"):
        fold_value(GraphView(made), "c30")


def test_two_lists_are_not_spread_into_a_table():
    """A column and a row of ten thousand each."""
    zeros = {"a": np.zeros((10000, 1), np.float32), "b": np.zeros((1, 10000), np.float32)}
    made = model_of("g (float[N] x) => (float[M, N] y) { t = Add(a, b)  y = Add(x, t) }", zeros)
    with pytest.raises(StepInputError, match=r"`t` \(Add\) .* would hold 100000000 values"):
        fold_value(GraphView(made), "t")
