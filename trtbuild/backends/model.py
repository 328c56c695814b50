"""What a backend must know of an ONNX model: its Q/DQ pairs, and what each layer is asked in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import TYPES
from trtbuild.core.records import RequestedLayer
from trtbuild.model.nodes import WEIGHTED, iterate_nodes, name_of
from trtbuild.model.outline import ModelOutline

if TYPE_CHECKING:
    import onnx

__all__ = ["OnnxModel"]

PASSING = (
    *("Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "MaxPool", "Reshape"),
    *("Resize", "Slice", "SpaceToDepth", "Split", "Squeeze", "Transpose", "Unsqueeze"),
)
"""Operators that keep their input's quantization: a DequantizeLinear before them reaches on."""
PAIR = ("QuantizeLinear", "DequantizeLinear")
UINT8 = 2
_FLOATS = {10: "fp16", 16: "bf16"}
_WORDS = dict.fromkeys((17, 18, 19, 20), "fp8") | dict.fromkeys((21, 22), "int4")
"""TensorProto's data types, which have names only once onnx is imported."""


class OnnxModel(ModelOutline):
    """A model as backends read it: which precision each of its weighted layers is in."""

    def node(self, name: str) -> onnx.NodeProto | None:
        """Return the weighted node that has a name."""
        return self._weighted.get(name)

    def list_requests(self) -> tuple[RequestedLayer, ...]:
        """Read from the graph itself which precision each weighted layer is in.

        `int8` where both operands come out of a DequantizeLinear, `int4` where the weight alone
        does; else what its weight is.
        """
        return tuple(
            RequestedLayer(name=name, op=node.op_type, precision=self._precision(node))
            for name, node in self._weighted.items()
        )

    def dequantizer(self, tensor: str) -> onnx.NodeProto | None:
        """Return the DequantizeLinear that a tensor comes from, through operators that pass it."""
        node = self.maker(tensor)
        while node is not None and node.op_type in PASSING:
            node = self.maker(node.input[0])
        return node if node is not None and node.op_type == "DequantizeLinear" else None

    def computed_scales(self) -> Iterator[onnx.NodeProto]:
        """Yield every Q and DQ node whose scale is not a constant."""
        for node in self.nodes:
            if node.op_type in PAIR and not self.is_constant(node.input[1]):
                yield node

    def unsigned(self) -> Iterator[onnx.NodeProto]:
        """Yield every Q and DQ node of uint8: by its zero point, or because it has none."""
        for node in self.nodes:
            if node.op_type in PAIR and self._kind(node) == UINT8:
                yield node

    def _precision(self, node: onnx.NodeProto) -> str:
        pairs = [self.dequantizer(operand) for operand in node.input[:2]]
        words = {_WORDS.get(self._kind(pair), "int8") for pair in pairs if pair is not None}
        word = words.pop() if len(words) == 1 else ""
        if word and (None not in pairs or (word in TYPES and TYPES[word].weights_only)):
            return word
        return _FLOATS.get(self.stored_type(node.input[1]) or 0, "fp32")

    def _kind(self, node: onnx.NodeProto) -> int:
        """Return TensorProto's data type of the integers that a Q makes or a DQ reads; 0: open."""
        for name in (*node.input[2:3], node.input[0] if node.op_type == PAIR[1] else ""):
            if (stored := self.stored_type(name)) is not None:
                return stored
        if node.op_type == PAIR[0] and len(node.input) == 2:  # noqa: PLR2004
            return next((each.i for each in node.attribute if each.name == "output_dtype"), UINT8)
        return 0

    @cached_property
    def _weighted(self) -> dict[str, onnx.NodeProto]:
        return {
            name_of(node): node for node in iterate_nodes(self.nodes) if node.op_type in WEIGHTED
        }
