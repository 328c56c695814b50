"""set_dimension: name or size one dimension; all shapes follow."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs
import pytest
from pydantic import ValidationError

from tests.helpers.models import graph_of, outputs_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.set_dimension import SetDimension

FIXED = """g (float[1, 8] x) => (float[1, 4] y)
    { a = Relu(x)  b = MatMul(a, w)  y = Neg(b) }"""
WEIGHT = {"w": np.ones((8, 4), np.float32)}


def fix(tensor="x", axis=0, size="batch"):
    return SetDimension(kind="set_dimension", tensor=tensor, axis=axis, size=size)


def shapes(graph):
    return {name: list(t.shape) for name, t in graph.tensors().items() if name in "xaby"}


def test_a_fixed_batch_becomes_dynamic():
    """Input, everything inside and the output follow; the model then takes any batch."""
    graph = graph_of(FIXED, WEIGHT)
    account = fix().apply(graph)
    result = outputs_of(gs.export_onnx(graph), {"x": np.ones((3, 8), np.float32)})["y"]

    assert {"x": ["batch", 8], "a": ["batch", 8], "b": ["batch", 4], "y": ["batch", 4]} == shapes(
        graph
    )
    assert ["x: axis 0: 1 → batch"] == account.changes
    assert (3, 4) == result.shape


def test_a_dynamic_dimension_becomes_fixed():
    """A number goes through the whole graph."""
    graph = graph_of(FIXED.replace("[1,", "[N,"), WEIGHT)
    fix(size=16).apply(graph)

    assert {"x": [16, 8], "a": [16, 8], "b": [16, 4], "y": [16, 4]} == shapes(graph)


def test_a_name_is_changed_wherever_it_stands():
    """Another input's N is the same dimension."""
    graph = graph_of("g (float[N, 2] x, float[N, 2] z) => (float[N, 2] y) { y = Add(x, z) }")
    fix().apply(graph)

    assert [["batch", 2]] * 3 == [list(t.shape) for t in (*graph.inputs, *graph.outputs)]


def test_an_unnamed_output_dimension_gets_a_name():
    """Inference does not know NonZero's count; the name is the recipe's to give."""
    graph = graph_of("g (float[N] x) => (int64[1, M] y) { y = NonZero(x) }")
    graph.outputs[0].shape = [1, None]
    account = fix("y", 1, "count").apply(graph)

    assert [1, "count"] == list(graph.outputs[0].shape)
    assert ["y: axis 1: ? → count"] == account.changes


def test_what_is_so_already_is_left_and_said():
    """Asked for by name, so the answer is given by name."""
    graph = graph_of(FIXED.replace("[1,", "[N,"), WEIGHT)
    account = fix(size="N").apply(graph)

    assert [] == account.changes
    assert ["set_dimension: axis 0 of `x` is N already"] == account.remarks


def test_no_such_tensor_lists_those_there_are():
    """With their shapes."""
    with pytest.raises(StepInputError, match="no input or output `images`") as caught:
        fix("images").apply(graph_of(FIXED, WEIGHT))
    assert "inputs and outputs: x [1, 8], y [1, 4]" == caught.value.hint


def test_no_such_axis_shows_the_shape():
    """Axes count from 0."""
    with pytest.raises(StepInputError, match="`x` has 2 axes, not an axis 2") as caught:
        fix(axis=2).apply(graph_of(FIXED, WEIGHT))
    assert "its shape is [1, 8]" == caught.value.hint


def test_a_size_the_graph_cannot_take_is_refused():
    """8 columns meet 8 rows; 9 do not."""
    with pytest.raises(StepInputError, match="`x` axis 1 cannot be 9: shapes do not fit together"):
        fix(axis=1, size=9).apply(graph_of(FIXED, WEIGHT))


def test_an_output_follows_from_the_inputs():
    """Its numbers cannot be wished for."""
    with pytest.raises(StepInputError, match="axis 1 of output `y` is 4; an output's size follows"):
        fix("y", 1, 5).apply(graph_of(FIXED, WEIGHT))


RESHAPED = """g (float[1, 2, 4] x) => (float[1, 8] y) <int64[2] s = TARGET>
    { [flat] r = Reshape(x, s)  y = Relu(r) }"""


@pytest.mark.parametrize(("size", "wanted"), [("batch", [0, 8]), (2, [2, 8])])
@pytest.mark.parametrize("target", ["{1, 8}", "{1, -1}"])
def test_a_reshape_that_insists_on_the_old_size_follows(size, wanted, target):
    """Such a model would fail, or mix samples, at the first real batch."""
    graph = graph_of(RESHAPED.replace("TARGET", target))
    log = fix(size=size).apply(graph)
    result = outputs_of(gs.export_onnx(graph), {"x": np.ones((2, 2, 4), np.float32)})["y"]

    assert (2, 8) == result.shape
    assert log.changes[1].startswith(f"flat: reshapes to [{wanted[0]}, ")


def test_what_else_insists_is_an_error():
    """A table of positions is for one size, and says so at another."""
    text = "g (float[1, 4, 2] x) => (float[1, 4, 2] y) { y = Add(x, table) }"
    table = {"table": np.ones((1, 4, 2), np.float32)}

    with pytest.raises(StepInputError, match="axis 1 cannot be h: at 8, shapes do not fit"):
        fix(axis=1, size="h").apply(graph_of(text, table))


@pytest.mark.parametrize("target", ["{-1, 8}", "{0, 8}", "{0, -1}"])
def test_a_reshape_that_adapts_is_fine(target):
    """-1 and 0 follow the batch; where inference cannot name the result, nothing is made up."""
    graph = graph_of(RESHAPED.replace("TARGET", target))
    account = fix().apply(graph)
    first, second = graph.outputs[0].shape

    assert [] == account.remarks
    assert 8 == second
    assert first in {"batch", None}


def test_shapes_inside_branches_follow():
    """No old size is left behind in a subgraph."""
    graph = graph_of(
        """g (float[1, 2] x, bool c) => (float[1, 2] y) {
        y = If (c) <then_branch = t () => (float[1, 2] p) { q = Relu(x)  p = Neg(q) },
                    else_branch = e () => (float[1, 2] r) { r = Neg(x) }> }"""
    )
    fix().apply(graph)
    branch = graph.nodes[0].attrs["then_branch"]

    assert all(t.shape is None for node in branch.nodes for t in node.outputs)
    assert ["batch", 2] == list(graph.outputs[0].shape)


UNREACHED = """g (float[BATCH, 8] x, int64[2] s) => (float[BATCH, 4] y)
    { a = Reshape(x, s)  b = MatMul(a, w)  y = Neg(b) }"""


def unreached(batch):
    """A model whose output lies behind a Reshape to a shape that is computed."""
    graph = graph_of(UNREACHED.replace("BATCH", batch), WEIGHT)
    tensors = graph.tensors()
    tensors["a"].shape = [int(batch) if batch.isdigit() else batch, 8]
    return graph


def test_what_inference_does_not_reach_keeps_rank_and_sizes():
    """The name changes there too; a new name or size for what was open moves nothing else."""
    graph = unreached("N")
    fix(size=16).apply(graph)

    assert {"x": [16, 8], "a": [16, 8], "b": [None, 4], "y": [16, 4]} == shapes(graph)


def test_what_inference_does_not_reach_keeps_its_rank_where_sizes_move():
    """A batch that was 1 moves what it went into; which of the sizes those are, nobody knows."""
    graph = unreached("1")
    fix().apply(graph)

    assert {"x": ["batch", 8], "a": [None, None], "b": [None, 4], "y": [None, 4]} == shapes(graph)


def test_of_two_unknown_dimensions_one_is_named():
    """The other is another dimension, and stays open until it gets a name of its own."""
    graph = graph_of("g (float[N, H, W] x) => (float[N, H, W] y) { y = Relu(x) }")
    for tensor in (*graph.inputs, *graph.outputs):
        tensor.shape = ["N", None, None]
    fix(axis=1, size="h").apply(graph)
    first = [list(tensor.shape) for tensor in (*graph.inputs, *graph.outputs)]
    fix(axis=2, size="w").apply(graph)

    assert [["N", "h", None]] * 2 == first
    assert [["N", "h", "w"]] * 2 == [list(t.shape) for t in (*graph.inputs, *graph.outputs)]


@pytest.mark.parametrize("size", ['"9 lives"', "0", "-1", '""', "1.5"])
def test_a_size_is_a_number_or_a_name(size):
    """Anything else is refused with the recipe."""
    with pytest.raises(ValidationError):
        SetDimension.model_validate_json(
            f'{{"kind": "set_dimension", "tensor": "x", "axis": 0, "size": {size}}}'
        )
