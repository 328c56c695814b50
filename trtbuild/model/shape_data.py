"""Tell whether ONNX may follow the values of shapes through a model: it does so without bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.model.nodes import iterate_bodies

if TYPE_CHECKING:
    import onnx

__all__ = ["MOST_VALUES", "may_follow"]

MOST_VALUES = 100_000
"""Forty Concats, each of the one before with itself, would come to 10**12 values in memory."""
MOST_AXES = 64
_FOLLOWED = frozenset(
    {"Add", "Cast", "Concat", "Gather", "Mul", "Slice", "Squeeze", "Sub", "Unsqueeze"}
)
"""What hands values on (onnx/defs: PartialDataPropagationFunction); Concat alone makes more."""


def may_follow(model: onnx.ModelProto) -> bool:
    """Tell whether `infer_shapes(data_prop=True)` keeps few values in memory."""
    return _most(model.graph, {}) <= MOST_VALUES


def _most(graph: onnx.GraphProto, outer: Mapping[str, int]) -> int:
    """Return the most values that a tensor of the graph, or of one inside it, comes to."""
    values = dict(outer)
    for tensor in graph.initializer:
        if len(tensor.dims) <= 1:
            values[tensor.name] = tensor.dims[0] if tensor.dims else 1
    most = 0
    for node in graph.node:
        count = _count(node, values)
        values.update(dict.fromkeys(node.output, count))
        inner = [_most(each, values) for each in iterate_bodies(node)]
        most = max(most, count, *inner) if inner else max(most, count)
        if most > MOST_VALUES:  # what comes after would only be more, in ever longer numbers
            return most
    return most


def _count(node: onnx.NodeProto, values: Mapping[str, int]) -> int:
    if node.op_type in ("Shape", "Size", "Constant"):
        return MOST_AXES
    if node.op_type not in _FOLLOWED:
        return 0
    counts = [values.get(name, 0) for name in node.input]
    return sum(counts) if node.op_type == "Concat" else max(counts, default=0)
