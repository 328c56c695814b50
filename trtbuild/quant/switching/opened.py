"""A model that came quantized, its activations in float again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.model.view import GraphView
from trtbuild.quant.quantized_graph import LINEAR, find_stored_constants, read_linears

if TYPE_CHECKING:
    import onnx

__all__ = ["open_pairs"]


def open_pairs(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy in which activations pass through every pair as they are.

    Weights that are stored in INT8 stay what they are: what they were in float is not known. What
    lies between the two ends of a pair only hands values on, and does so with floats too.
    """
    import onnx

    view = GraphView(model)
    stored = {
        linear.index
        for found in find_stored_constants(view, read_linears(view))
        for linear in (found.dequantizer, found.quantizer)
        if linear is not None
    }
    opened = onnx.ModelProto()
    opened.CopyFrom(model)
    del opened.graph.value_info[:]
    for index, node in enumerate(opened.graph.node):
        if node.op_type in LINEAR and index not in stored:
            node.op_type = "Identity"
            del node.input[1:], node.attribute[:]
    return opened
