"""Layers too narrow for a type's kernels: what they would save is little, what they lose is not."""

from __future__ import annotations

from trtbuild.core.quantized_types import QuantizedType
from trtbuild.model.view import GraphView
from trtbuild.quant.axes import find_contracted_axis, find_operand_axis
from trtbuild.quant.layers import WeightedLayer

__all__ = ["explain_narrow"]


def explain_narrow(view: GraphView, layer: WeightedLayer, into: QuantizedType) -> str:
    """Say why a layer has too few channels for a type; nothing if it has enough, or nobody knows.

    Of a Conv those of a group count, and it takes more than the least. NVIDIA's ModelOpt leaves the
    same layers of FP8 float (modelopt/onnx/quantization/graph_utils.py, 0.47): kernels multiply 16
    by 16, and what is smaller gains nothing.
    """
    node = view.nodes[layer.index]
    slot = 1 if layer.weight is None else layer.weight.slot
    dims = view.dims(node.input[slot])
    output = find_operand_axis(view, node, slot)
    if into.least_channels <= 1 or dims is None or output is None or len(dims) <= 1:
        return ""
    summed = 1 if layer.op == "Conv" else find_contracted_axis(view, node, slot)
    least = into.least_channels + (layer.op == "Conv")
    for axis, side in ((summed, "input"), (output, "output")):
        size = dims[axis]
        if isinstance(size, int) and size < least:
            return (
                f"it has {size} {side} channel{'s' * (size > 1)}: {into.word} pays from {least} on"
            )
    return ""
