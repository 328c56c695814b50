"""A model's signature: what a recipe may refer to."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.model.signature import read_signature


def test_inputs_outputs_tensors_and_nodes_in_graph_order():
    """Initializers are none of them, even where an old model lists them as inputs."""
    model = model_of(
        """g (float[N, 3] x, float[3] w) => (int64[N] y) <float[3] w = {1, 2, 3}>
        { [add] a = Add(x, w)  [top] y = ArgMax<axis = 1, keepdims = 0>(a) }"""
    )
    signature = read_signature(model)

    assert [("x", "float32", ("N", 3))] == [(s.name, s.dtype, s.shape) for s in signature.inputs]
    assert [("y", "int64", ("N",))] == [(s.name, s.dtype, s.shape) for s in signature.outputs]
    assert ("x", "a", "y") == signature.tensors
    assert [("add", "Add"), ("top", "ArgMax")] == [(n.name, n.op) for n in signature.nodes]


@pytest.mark.parametrize("dimension", [None, "", "unk__3"])
def test_dimensions_without_a_name_get_one(dimension):
    """After the tensor and the axis; what inference made up is no name."""
    model = model_of("g (float[N, 3] x) => (float[N, 3] y) { y = Relu(x) }")
    dim = model.graph.input[0].type.tensor_type.shape.dim[0]
    dim.Clear()
    if dimension is not None:
        dim.dim_param = dimension

    assert ("x_dim_0", 3) == read_signature(model).inputs[0].shape


def test_optional_outputs_that_are_left_out_are_no_tensors():
    """An empty name is nobody's."""
    model = model_of("g (float[N] x) => (float[N] y) { y, m = Dropout(x) }")
    model.graph.node[0].output[1] = ""

    assert ("x", "y") == read_signature(model).tensors


def test_an_input_of_unknown_rank_is_refused():
    """Nothing could be fed to it, and no profile written."""
    model = model_of("g (float[N] x) => (float[N] y) { y = Relu(x) }")
    model.graph.input[0].type.tensor_type.ClearField("shape")

    with pytest.raises(StepInputError, match="`x` has no shape"):
        read_signature(model)


def test_a_sequence_is_refused():
    """Only tensors go in and out of an engine."""
    model = model_of("g (float[N] x) => (float[N] y) { y = Relu(x) }")
    sequence = onnx.helper.make_tensor_sequence_value_info("x", 1, [2])
    model.graph.input[0].CopyFrom(sequence)

    with pytest.raises(StepInputError, match="`x` has no shape"):
        read_signature(model)
