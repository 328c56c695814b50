"""How much work each weighted layer is: its multiply-accumulates, from inferred shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.model.nodes import WEIGHTED, name_of
from trtbuild.model.shape_data import may_follow
from trtbuild.model.view import read_ints
from trtbuild.model.weights_file import copy_without_weights

if TYPE_CHECKING:
    import onnx

__all__ = ["count_macs"]

TensorSizes = Mapping[str, tuple[int, ...]]


def count_macs(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Count the multiply-accumulates of the top graph's weighted nodes, by node.

    Inputs have the `shapes` given; dimensions that stay unknown count as 1. A node whose shapes
    cannot be inferred counts 0.
    """
    dims = _dims(model, shapes)
    return {
        name_of(node): _macs(node, dims) for node in model.graph.node if node.op_type in WEIGHTED
    }


def _macs(node: onnx.NodeProto, dims: TensorSizes) -> int:
    """Multiply the size of what a layer makes by the length of each of its sums.

    Conv: out · (in / group · kernel). ConvTranspose: each input value meets out / group · kernel
    weights. Gemm and MatMul: out · K.
    """
    first, second = (dims.get(name) for name in node.input[:2])
    out = dims.get(node.output[0])
    if first is None or second is None or out is None:
        return 0
    if node.op_type == "Conv":
        return math.prod(out) * math.prod(second[1:])
    if node.op_type == "ConvTranspose":
        return math.prod(first) * math.prod(second[1:])
    turned = node.op_type == "Gemm" and (read_ints(node, "transA") or (0,)) != (0,)
    return math.prod(out) * (first[0 if turned else -1] if first else 1)


def _dims(
    model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]]
) -> dict[str, tuple[int, ...]]:
    """Infer all shapes anew, from inputs of known sizes."""
    import onnx

    bare = copy_without_weights(model)
    made = {name for node in bare.graph.node for name in node.output}
    for values in (bare.graph.value_info, bare.graph.output):
        for index in reversed(range(len(values))):
            if values[index].name in made and values is bare.graph.value_info:
                del values[index]
            elif values is bare.graph.output:
                # An open dimension that is declared would win over the size that is found.
                values[index].type.tensor_type.ClearField("shape")
    for value in bare.graph.input:
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            given = shapes.get(value.name, ())
            dim.dim_value = given[axis] if axis < len(given) else max(dim.dim_value, 1)
    inferred = onnx.shape_inference.infer_shapes(bare, data_prop=may_follow(bare)).graph
    found = {
        info.name: tuple(max(dim.dim_value, 1) for dim in info.type.tensor_type.shape.dim)
        for info in (*inferred.value_info, *inferred.input, *inferred.output)
        if info.type.tensor_type.HasField("shape")
    }
    return found | {each.name: tuple(each.dims) for each in model.graph.initializer}
