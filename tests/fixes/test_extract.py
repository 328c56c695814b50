"""extract: a part of the model, by the tensors at its ends."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import graph_of, model_of, outputs_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.extract import Extract

TEXT = """g (float[N, 3] x, float[N, 3] z) => (float[N, 3] y, float[N, 3] u)
    { a = Relu(x)  b = Neg(a)  c = Add(b, z)  y = Abs(c)  u = Exp(b) }"""


def extract(inputs=(), outputs=()):
    return Extract(kind="extract", inputs=inputs, outputs=outputs)


def names(graph):
    return [each.name for each in graph.inputs], [each.name for each in graph.outputs]


def test_a_part_computes_what_it_computed():
    """Between tensors inside; onnx.utils.extract_model cuts alike."""
    fixed, _ = apply_fixes(model_of(TEXT), [extract(("a",), ("u",))])
    x = np.array([[1, 2, 3]], np.float32)

    np.testing.assert_allclose(np.exp(-x), outputs_of(fixed, {"a": x})["u"], rtol=1e-6)
    assert ["Neg", "Exp"] == [node.op_type for node in fixed.graph.node]


def test_outputs_alone_keep_the_inputs_they_rest_on():
    """Others go, and what is no output any more is said."""
    graph = graph_of(TEXT)
    log = extract(outputs=("b",)).apply(graph)

    assert (["x"], ["b"]) == names(graph)
    assert ["extract: no outputs any more: y, u"] == log.remarks


def test_the_order_is_that_of_the_recipe():
    """Of inputs and outputs."""
    graph = graph_of(TEXT)
    extract(("z", "x"), ("u", "y")).apply(graph)

    assert (["z", "x"], ["u", "y"]) == names(graph)


def test_twice_changes_nothing():
    """What is cut out is all there is."""
    graph = graph_of(TEXT)
    extract(("a",), ("b",)).apply(graph)

    assert [] == extract(("a",), ("b",)).apply(graph).changes


REFUSED = {
    "no tensor that is computed, `q`": ((), ("q",)),
    "rest on `z` too, another input": (("a",), ("y",)),
    "no output rests on `z`": (("x", "z"), ("u",)),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_cut_is_refused(words):
    """With what is missing, or too much."""
    with pytest.raises(StepInputError, match=words):
        extract(*REFUSED[words]).apply(graph_of(TEXT))
