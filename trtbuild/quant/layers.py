"""How a weighted node (Conv, Gemm, MatMul, ...) reads its activations and its weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trtbuild.model.nodes import WEIGHTED, name_of
from trtbuild.model.view import GraphView
from trtbuild.quant.axes import find_operand_axis
from trtbuild.quant.half_types import QUANTIZED_TYPES, HalfName, find_half

if TYPE_CHECKING:
    import onnx

__all__ = ["WeightOperand", "WeightedLayer", "find_float_type", "read_layers"]


@dataclass(frozen=True)
class WeightOperand:
    """A constant operand: its input slot, and the axis of its output channels."""

    slot: int
    axis: int
    """One scale for each index along it."""


@dataclass(frozen=True)
class WeightedLayer:
    """A weighted node, read: which operands INT8 needs quantized, or why it cannot be had."""

    index: int
    """The node's place in the graph."""
    name: str
    op: str
    activations: tuple[int, ...] = ()
    """Input slots that hold activations."""
    weight: WeightOperand | None = None
    """None where both operands are activations (the MatMuls of an attention)."""
    reason: str = ""
    """Why INT8 is out of the question, whatever the recipe says; empty where it is not."""


def read_layers(view: GraphView) -> list[WeightedLayer]:
    """Read every weighted node of the top graph, in graph order."""
    return [
        _layer(view, index, node)
        for index, node in enumerate(view.nodes)
        if node.op_type in WEIGHTED and node.domain in {"", "ai.onnx"}
    ]


def find_float_type(view: GraphView, index: int) -> Literal["fp32"] | HalfName:
    """Return the type that a weighted node computes in where it is not INT8: its operands'."""
    half = next(
        filter(None, (find_half(view.dtype(name)) for name in view.nodes[index].input)), None
    )
    return "fp32" if half is None else half.name


def _layer(view: GraphView, index: int, node: onnx.NodeProto) -> WeightedLayer:
    constants = [slot for slot in (1, 0) if view.is_constant(node.input[slot])]
    if node.op_type in {"Gemm", "MatMul"} and not constants:
        return _of_activations(view, index, node)
    slot = constants[0] if node.op_type in {"Gemm", "MatMul"} else 1
    other = 1 - slot
    axis = find_operand_axis(view, node, slot)
    reason = _find_weight_fault(view, node.input[slot]) or _find_activation_fault(
        view, node.input[other]
    )
    if reason or axis is None:
        return _leave_float(index, node, reason or "the shape of its weight is not known")
    weight = WeightOperand(slot=slot, axis=axis)
    return WeightedLayer(index, name_of(node), node.op_type, activations=(other,), weight=weight)


def _find_activation_fault(view: GraphView, tensor: str) -> str:
    if view.is_constant(tensor):
        return "its input is constant"
    if len(view.dims(tensor) or (0, 0)) <= 1:
        return "its input is a vector or a scalar"
    return ""


def _find_weight_fault(view: GraphView, weight: str) -> str:
    if not view.is_constant(weight):
        return "its weight is not constant"
    dtype, dims = view.dtype(weight), view.dims(weight)
    if dtype is None or dims is None:
        return "the shape of its weight is not known"
    if dtype not in QUANTIZED_TYPES:
        return f"its weight is {dtype}, and only float32, float16 and bfloat16 are quantized"
    if 0 in dims:
        return "its weight is empty"
    return "its weight is a vector" if len(dims) <= 1 else ""


def _of_activations(view: GraphView, index: int, node: onnx.NodeProto) -> WeightedLayer:
    for tensor in node.input[:2]:
        dtype = view.dtype(tensor)
        if dtype is None:
            return _leave_float(index, node, f"the type of `{tensor}` is not known")
        if dtype not in QUANTIZED_TYPES:
            return _leave_float(
                index, node, f"`{tensor}` is {dtype}, and only floats are quantized"
            )
        if len(view.dims(tensor) or (0, 0)) <= 1:
            return _leave_float(index, node, f"`{tensor}` is a vector or a scalar")
    return WeightedLayer(index, name_of(node), node.op_type, activations=(0, 1))


def _leave_float(index: int, node: onnx.NodeProto, reason: str) -> WeightedLayer:
    return WeightedLayer(index, name_of(node), node.op_type, reason=reason)
