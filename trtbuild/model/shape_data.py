"""Tell whether ONNX may follow the values of shapes through a model: it does so without bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trtbuild.model.nodes import iterate_bodies
from trtbuild.model.weights_file import read_values

if TYPE_CHECKING:
    import onnx

__all__ = ["MAKERS", "MOST_VALUES", "may_follow"]

MOST_VALUES = 100_000
"""Forty Concats, each of the one before with itself, would come to 10**12 values in memory."""
MOST_AXES = 64
MAKERS = frozenset(
    {"AffineGrid", "BlackmanWindow", "CenterCropPad", "Col2Im", "ConstantOfShape", "Expand"}
    | {"HammingWindow", "HannWindow", "MaxUnpool", "MelWeightMatrix", "OneHot", "Pad", "Range"}
    | {"Resize", "Tile", "Upsample"}
)
"""Operators whose results are as large as a number says that they read."""
_VAST = 10**18
_NUMBERS = (1, 6, 7, 11)
"""TensorProto's FLOAT, INT32, INT64, DOUBLE."""
_FOLLOWED = frozenset(
    {"Add", "Cast", "Concat", "Gather", "Mul", "Slice", "Squeeze", "Sub", "Unsqueeze"}
)
"""What hands values on (onnx/defs: PartialDataPropagationFunction); Concat alone makes more."""


def may_follow(model: onnx.ModelProto) -> bool:
    """Tell whether `infer_shapes(data_prop=True)` keeps few values in memory.

    ONNX makes up as many values as a list has, wherever its length is known: of a graph input of
    length 10**10 too, or of a Range. Reads no weights: give a model without them.
    """
    import onnx

    try:
        inferred = onnx.shape_inference.infer_shapes(model)
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        return False
    return _most(inferred.graph, {}, {}) <= MOST_VALUES


def _most(graph: onnx.GraphProto, outer: Mapping[str, int], largest: Mapping[str, int]) -> int:
    """Return the most values that a tensor of the graph, or of one inside it, comes to.

    `outer` has the lengths of lists around it, `largest` the largest number in each.
    """
    known, no_lists = dict(_lengths(graph)), {name for name, rank in _ranks(graph) if rank != 1}
    values, numbers = {**outer, **known}, {**largest, **_numbers(graph)}
    for tensor in graph.initializer:
        if len(tensor.dims) <= 1:
            values[tensor.name] = tensor.dims[0] if tensor.dims else 1
    most = 0
    for node in graph.node:
        count = _count(node, values)
        if node.op_type in MAKERS:
            made = math.prod(numbers.get(name, 1) for name in node.input)
        else:
            made = 0 if node.op_type in _FOLLOWED else count
        number = _combine(node, [numbers.get(name, 1) for name in node.input if name])
        for name in node.output:
            # What is not followed hands no values on; its length alone is made up of.
            values[name] = max(count, known.get(name, 0 if name in no_lists else made))
            numbers[name] = max(numbers.get(name, 1), number)
        inner = [_most(each, values, numbers) for each in iterate_bodies(node)]
        most = max(most, count, *inner) if inner else max(most, count)
        if most > MOST_VALUES:  # what comes after would only be more, in ever longer numbers
            return most
    return most


def _lengths(graph: onnx.GraphProto) -> Iterator[tuple[str, int]]:
    """Yield the length of each list whose length is known."""
    for value in (*graph.input, *graph.output, *graph.value_info):
        dims = value.type.tensor_type.shape.dim
        if len(dims) == 1 and dims[0].HasField("dim_value"):
            yield value.name, dims[0].dim_value


def _ranks(graph: onnx.GraphProto) -> Iterator[tuple[str, int]]:
    for value in (*graph.output, *graph.value_info):
        if value.type.tensor_type.HasField("shape"):
            yield value.name, len(value.type.tensor_type.shape.dim)


def _count(node: onnx.NodeProto, values: Mapping[str, int]) -> int:
    if node.op_type in ("Shape", "Size", "Constant"):
        return MOST_AXES
    if node.op_type not in _FOLLOWED:
        return 0
    counts = [values.get(name, 0) for name in node.input]
    return sum(counts) if node.op_type == "Concat" else max(counts, default=0)


def _numbers(graph: onnx.GraphProto) -> dict[str, int]:
    """Return the largest number of each short list that is stored, and of each Shape."""
    found = {tensor.name: _largest(tensor) for tensor in graph.initializer}
    sizes = {
        value.name: max((dim.dim_value for dim in value.type.tensor_type.shape.dim), default=1)
        for value in (*graph.input, *graph.value_info)
    }
    for node in graph.node:
        if node.op_type in ("Shape", "Size"):
            found[node.output[0]] = max(1, sizes.get(node.input[0], 1))
        for each in node.attribute if node.op_type in ("Constant", "ConstantOfShape") else ():
            numbers = [abs(number) for number in (*each.ints, each.i)]
            held = _largest(each.t) if each.HasField("t") else 1
            found[node.output[0]] = max(1, held, *numbers)
    return found


def _combine(node: onnx.NodeProto, numbers: list[int]) -> int:
    """Return how large a number may be that is computed of others."""
    if node.op_type == "Mul":
        return min(math.prod(numbers), _VAST)
    if node.op_type in ("Add", "Sub", "ReduceSum"):
        return min(sum(numbers), _VAST)
    if node.op_type in ("Pow", "ReduceProd", "CumSum"):
        return _VAST
    return max(numbers, default=1)


def _largest(tensor: onnx.TensorProto) -> int:
    """Return the largest number in a short list of numbers; 1 for anything else."""
    import numpy as np

    plain = tensor.data_type in _NUMBERS and len(tensor.dims) <= 1 and not tensor.data_location
    if not plain or (tensor.dims and not 0 < tensor.dims[0] <= MOST_AXES):
        return 1
    numbers = np.abs(read_values(tensor).astype(np.float64))
    return int(min(max(1.0, float(np.nan_to_num(numbers).max())), _VAST))
