"""Which precision a quantized model asks of its weighted nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
    """Say for every weighted node of a repaired model: INT8 if both its operands are INT8."""
    stored = {found.dequantizer.index for found in find_stored_constants(view, dict(linears))}
    for index, node in enumerate(view.nodes):
        if node.op_type in WEIGHTED:
            reasons = (_reason(view, index, slot, linears, stored) for slot in (0, 1))
            reason = next(filter(None, reasons), "")
            yield RequestedLayer(
                name=name_of(node),
                op=node.op_type,
                precision=find_float_type(view, index) if reason else "int8",
                reason=reason,
            )


def _reason(
    view: GraphView, index: int, slot: int, linears: Mapping[int, LinearNode], stored: set[int]
) -> str:
    """Say why an operand is not INT8 as TensorRT wants it; nothing if it is."""
    tensor = view.nodes[index].input[slot]
    linear = find_dequantizer(view, tensor, linears)
    if linear is None:
        return f"the model does not quantize `{tensor}`"
    if linear.dtype != "int8":
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
