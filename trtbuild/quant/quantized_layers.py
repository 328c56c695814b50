"""Which precision a quantized model asks of its weighted nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trtbuild.core.quantized_types import INT8, QuantizedType, find_type_of_onnx
from trtbuild.core.records import RequestedLayer
from trtbuild.model.nodes import WEIGHTED, name_of
from trtbuild.model.view import GraphView
from trtbuild.quant.flow import passes
from trtbuild.quant.layers import find_float_type
from trtbuild.quant.quantized_graph import LinearNode, find_stored_constants

__all__ = ["find_dequantizer", "list_requested_layers"]


def list_requested_layers(
    view: GraphView, linears: Mapping[int, LinearNode]
) -> Iterator[RequestedLayer]:
    """Say for every weighted node of a repaired model: the quantized type of both its operands."""
    stored = {found.dequantizer.index for found in find_stored_constants(view, dict(linears))}
    for index, node in enumerate(view.nodes):
        if node.op_type in WEIGHTED:
            into = _find_type(view, index, linears)
            reasons = (_reason(view, node.input[slot], linears, stored, into) for slot in (0, 1))
            reason = next(filter(None, reasons), "")
            yield RequestedLayer(
                name=name_of(node),
                op=node.op_type,
                precision=find_float_type(view, index) if reason else into.name,
                reason=reason,
            )


def _find_type(view: GraphView, index: int, linears: Mapping[int, LinearNode]) -> QuantizedType:
    """Return the type of a node's first quantized operand; INT8 where it has none."""
    found = (find_dequantizer(view, name, linears) for name in view.nodes[index].input[:2])
    types = (find_type_of_onnx(linear.dtype) for linear in found if linear is not None)
    return next(filter(None, types), INT8)


def _reason(
    view: GraphView,
    tensor: str,
    linears: Mapping[int, LinearNode],
    stored: set[int],
    into: QuantizedType,
) -> str:
    """Say why an operand is not quantized as TensorRT wants it; nothing if it is."""
    linear = find_dequantizer(view, tensor, linears)
    if linear is None:
        if into.weights_only and not view.is_constant(tensor):
            return ""
        return f"the model does not quantize `{tensor}`"
    if linear.dtype != into.onnx_name:
        return f"the model has `{tensor}` in {linear.dtype}"
    # A weight's scales lie along the right axis: repair_stored has seen to it.
    if linear.scale.size > 1 and linear.index not in stored:
        return f"the model gives `{tensor}` a scale for each channel"
    return ""


def find_dequantizer(
    view: GraphView, tensor: str, linears: Mapping[int, LinearNode]
) -> LinearNode | None:
    """Return the DequantizeLinear whose values a tensor holds, moved at most."""
    while (index := view.producers.get(tensor)) is not None:
        if view.nodes[index].op_type == "DequantizeLinear":
            return linears[index]
        if not passes(view, index, 0) or view.nodes[index].op_type == "Concat":
            return None
        tensor = view.nodes[index].input[0]
    return None
