"""What a model's numbers are, in a word: FP32, FP16, INT8 Q/DQ, ..."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from trtbuild.model.nodes import iterate_constants, iterate_nodes, iterate_subgraphs

if TYPE_CHECKING:
    import onnx

__all__ = ["FLOAT_NAMES", "describe_number_type"]

FLOAT_NAMES = {"FLOAT": "FP32", "FLOAT16": "FP16", "BFLOAT16": "BF16", "DOUBLE": "FP64"}
"""ONNX's types of numbers that are no quantized ones, in our words."""
_PAIRS = frozenset({"QuantizeLinear", "DequantizeLinear"})
_INTEGERS = ("Integer", "IntegerToFloat")
_NAMES = {"INT8": "INT8", "UINT8": "INT8", "INT16": "INT16", "UINT16": "INT16", "INT4": "INT4"}
_NAMES |= {"UINT4": "INT4", "INT2": "INT2", "UINT2": "INT2", "FLOAT4E2M1": "FP4"}


def describe_number_type(model: onnx.ModelProto) -> str:
    """Say what a model's numbers are: `INT8 Q/DQ` and its like where any of it is quantized.

    Else the floating-point type that most of its constants have, or that its inputs do.
    """
    nodes = [*iterate_nodes(model.graph.node)]
    nodes += [each for function in model.functions for each in iterate_nodes(function.node)]
    graphs = (model.graph, *iterate_subgraphs(model.graph))
    held = {tensor.name: tensor for graph in graphs for tensor in graph.initializer}
    held |= {name: value.t for name, value in iterate_constants(nodes) if value.name == "value"}
    if any(node.op_type in _PAIRS for node in nodes):
        return f"{_join(_list_pair_types(nodes, held)) or 'quantized,'} Q/DQ"
    if any(_computes_in_integers(node.op_type) for node in nodes):
        return "INT8 operators"
    return _find_float(model, held.values())


def _computes_in_integers(op: str) -> bool:
    """Tell whether an operator, ONNX's or ONNX Runtime's, is one of integers or of few bits."""
    starts = ("QLinear", "QAttention", "QGemm", "DynamicQuantize", "TRT_FP8", "TRT_INT4")
    return op.startswith(starts) or op.endswith(_INTEGERS) or op.endswith("NBits")


def _list_pair_types(
    nodes: Iterable[onnx.NodeProto], held: Mapping[str, onnx.TensorProto]
) -> Iterator[str]:
    import onnx

    for node in nodes:
        if node.op_type in _PAIRS:
            # The zero point has the type; where there is none, what is stored, or the attribute.
            named = [held[name] for name in (*node.input[2:3], node.input[0]) if name in held]
            asked = [each.i for each in node.attribute if each.name == "output_dtype" and each.i]
            types = [*asked, *(tensor.data_type for tensor in named)]
            if not types and node.op_type == "QuantizeLinear":
                types = [onnx.TensorProto.UINT8]
            for each in types[:1]:
                yield onnx.TensorProto.DataType.Name(each)


def _join(types: Iterable[str]) -> str:
    names = {"FP8" if each.startswith("FLOAT8") else _NAMES.get(each, "") for each in types}
    return " and ".join(sorted(filter(None, names)))


def _find_float(model: onnx.ModelProto, held: Iterable[onnx.TensorProto]) -> str:
    import onnx

    name_of_type = onnx.TensorProto.DataType.Name
    counts: dict[str, int] = dict.fromkeys(FLOAT_NAMES, 0)
    for tensor in held:
        counts[name_of_type(tensor.data_type)] = counts.get(
            name_of_type(tensor.data_type), 0
        ) + math.prod(tensor.dims)
    for value in model.graph.input if not any(counts[each] for each in FLOAT_NAMES) else ():
        counts[name_of_type(value.type.tensor_type.elem_type)] = 1
    return FLOAT_NAMES[max(FLOAT_NAMES, key=lambda each: counts[each])]
