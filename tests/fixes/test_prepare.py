"""One form for every model before fixes see it."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.prepare import hoist_constants, lower_constants, name_nodes, refuse_unknown

CONSTANTS = {
    "value_float = 2.5": np.array(2.5, np.float32),
    "value_floats = [2.5, 3.0]": np.array([2.5, 3], np.float32),
    "value_int = 7": np.array(7, np.int64),
    "value_ints = [7, 8]": np.array([7, 8], np.int64),
    "value = int8[2] {1, -1}": np.array([1, -1], np.int8),
}


@pytest.mark.parametrize("written", CONSTANTS)
def test_constant_nodes_become_initializers(written):
    """With their type and shape, however they were written."""
    model = model_of(f"g (float x) => (float y) {{ c = Constant<{written}>()  y = Relu(x) }}")
    lower_constants(model.graph)
    values = numpy_helper.to_array(model.graph.initializer[0])

    assert ["Relu"] == [node.op_type for node in model.graph.node]
    assert (CONSTANTS[written].dtype, CONSTANTS[written].tolist()) == (
        values.dtype,
        values.tolist(),
    )


def test_an_empty_list_survives():
    """ONNX-GraphSurgeon could not write it again; as an initializer it can."""
    model = model_of("g (float x) => (float y) { y = Relu(x) }")
    empty = helper.make_node("Constant", [], ["c"])
    empty.attribute.append(helper.make_attribute("value_ints", [], attr_type=7))
    model.graph.node.insert(0, empty)
    lower_constants(model.graph)

    assert (0,) == numpy_helper.to_array(model.graph.initializer[0]).shape


def test_a_constant_output_stays_a_node():
    """An initializer that is an output would be refused by some readers."""
    model = model_of("g (float x) => (float y) { y = Constant<value_float = 1.0>() }")
    lower_constants(model.graph)

    assert ["Constant"] == [node.op_type for node in model.graph.node]


def test_branches_are_lowered_too():
    """Each into its own graph, beside those of the main graph."""
    model = model_of(
        """g (float x, bool c) => (float y) { o = Constant<value_float = 2.0>()  z = Mul(x, o)
        y = If (c) <then_branch = t () => (float p) {
                        k = Constant<value_float = 1.0>()  p = Add(z, k) },
                    else_branch = e () => (float q) { q = Neg(z) }> }"""
    )
    lower_constants(model.graph)
    branch = model.graph.node[1].attribute[0].g

    assert ["o"] == [tensor.name for tensor in model.graph.initializer]
    assert (["Add"], ["k"]) == (
        [node.op_type for node in branch.node],
        [tensor.name for tensor in branch.initializer],
    )


@pytest.mark.parametrize(
    ("attribute", "what"),
    [
        (helper.make_attribute("axes", [], attr_type=7), "an empty list"),
        (helper.make_attribute("kept", [numpy_helper.from_array(np.zeros(1))]), "TENSORS"),
        (helper.make_attribute("kind", helper.make_tensor_type_proto(1, [2])), "TYPE_PROTO"),
    ],
)
def test_what_would_be_lost_is_refused(attribute, what):
    """Better than a model that has quietly changed: the node and attribute are named."""
    model = model_of("g (float x) => (float y) { [r] y = Relu(x) }")
    model.graph.node[0].attribute.append(attribute)

    with pytest.raises(StepInputError, match=rf"`r` \(Relu\): its attribute .* is {what}"):
        refuse_unknown(model.graph)


def test_an_optional_input_is_refused():
    """Only tensors go in and out of an engine."""
    model = model_of("g (float x) => (float y) { y = Relu(x) }")
    optional = helper.make_optional_type_proto(model.graph.input[0].type)
    model.graph.input[0].type.CopyFrom(optional)

    with pytest.raises(StepInputError, match="`x` is no tensor"):
        refuse_unknown(model.graph)


def test_nodes_are_named_after_what_they_make():
    """Names given stay; missing ones come from the output; doubles get a number."""
    model = model_of("g (float x) => (float y) { [n] a = Relu(x)  b = Neg(a)  [n] y = Abs(b) }")
    name_nodes(model.graph)

    assert ["n", "Neg_b", "n_1"] == [node.name for node in model.graph.node]


def test_constants_of_the_main_graph_come_home():
    """What the round trip copied into branches is taken out again; their own stay."""
    model = model_of(
        """g (float x, bool c) => (float y) {
        y = If (c) <then_branch = t () => (float p) { p = Add(x, w) },
                    else_branch = e () => (float q) { q = Add(x, own) }> }""",
        {"w": np.array(1, np.float32), "own": np.array(2, np.float32)},
    )
    w, own = model.graph.initializer
    branches = [attribute.g for attribute in model.graph.node[0].attribute]
    for branch in branches:
        branch.initializer.extend([w, own])
        branch.value_info.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, []))
    del model.graph.initializer[:]

    hoist_constants(model.graph, {"w", "x"})

    assert ["w"] == [tensor.name for tensor in model.graph.initializer]
    assert [["own"], ["own"]] == [[t.name for t in b.initializer] for b in branches]
    assert [0, 0] == [len(branch.value_info) for branch in branches]
