"""Which precision a quantized model asks of its weighted nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trtbuild.model.nodes import WEIGHTED, name_of
from trtbuild.model.view import View
from trtbuild.quant.account import LayerAccount
from trtbuild.quant.existing import Linear, stored_of
from trtbuild.quant.flow import passes

__all__ = ["dequantizer_of", "layers_asked"]


def layers_asked(view: View, linears: Mapping[int, Linear]) -> Iterator[LayerAccount]:
    """Say for every weighted node of a repaired model: INT8 if both its operands are INT8."""
    stored = {found.dequantizer.index for found in stored_of(view, dict(linears))}
    for index, node in enumerate(view.nodes):
        if node.op_type in WEIGHTED:
            reasons = (_reason(view, index, slot, linears, stored) for slot in (0, 1))
            reason = next(filter(None, reasons), "")
            yield LayerAccount(
                name=name_of(node),
                op=node.op_type,
                precision="fp32" if reason else "int8",
                reason=reason,
            )


def _reason(
    view: View, index: int, slot: int, linears: Mapping[int, Linear], stored: set[int]
) -> str:
    """Say why an operand is not INT8 as TensorRT wants it; nothing if it is."""
    tensor = view.nodes[index].input[slot]
    linear = dequantizer_of(view, tensor, linears)
    if linear is None:
        return f"the model does not quantize `{tensor}`"
    if linear.dtype != "int8":
        return f"the model has `{tensor}` in {linear.dtype}"
    # A weight's scales lie along the right axis: repair_stored has seen to it.
    if linear.scale.size > 1 and linear.index not in stored:
        return f"the model gives `{tensor}` a scale for each channel"
    return ""


def dequantizer_of(view: View, tensor: str, linears: Mapping[int, Linear]) -> Linear | None:
    """Return the DequantizeLinear whose values a tensor holds, moved at most."""
    while (index := view.producers.get(tensor)) is not None:
        if view.nodes[index].op_type == "DequantizeLinear":
            return linears[index]
        if not passes(view, index, 0) or view.nodes[index].op_type == "Concat":
            return None
        tensor = view.nodes[index].input[0]
    return None
