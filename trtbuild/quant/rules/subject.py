"""A model as the rules see it: its Q/DQ pairs, its layers, and what it is built for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from trtbuild.core.patterns import means_node
from trtbuild.core.quantized_types import INT8, QuantizedType, find_type_of_onnx, join_words
from trtbuild.core.values import Range
from trtbuild.model.nodes import WEIGHTED, name_of
from trtbuild.model.view import GraphView
from trtbuild.quant.quantized_graph import (
    LINEAR,
    LinearNode,
    QuantizedStream,
    StoredConstant,
    find_stored_constants,
    find_streams,
    read_linear,
)
from trtbuild.quant.quantized_layers import find_dequantizer
from trtbuild.quant.rules.build_target import ANY_TARGET, BuildTarget
from trtbuild.quant.rules.macs import count_macs

if TYPE_CHECKING:
    import onnx

    from trtbuild.quant.account import QuantizationAccount

__all__ = ["INTEGERS", "RuleHits", "RuleSubject", "WeightedReading"]

INTEGERS = frozenset({"int8", "uint8"})
_UNSIGNED = {"uint8": INT8.onnx_name}
"""What TensorRT takes a type for, and asks for by it."""

RuleHits = Iterator[tuple[str, str] | tuple[str, str, str]]
"""What a rule finds: (node, or nothing where it is about the whole model; reason), and what to do
where that is not what the table says."""


@dataclass(frozen=True)
class WeightedReading:
    """A weighted node, and the DequantizeLinear behind each of its two operands, if there is."""

    index: int
    name: str
    op: str
    operands: tuple[LinearNode | None, LinearNode | None]

    @property
    def into(self) -> QuantizedType | None:
        """The quantized type of both operands, or of the weight where it is for these; or None."""
        names = [each.dtype for each in self.operands if each is not None]
        meant = {_UNSIGNED.get(name, name) for name in names}
        found = find_type_of_onnx(meant.pop()) if len(meant) == 1 else None
        whole = found is not None and (found.weights_only or len(names) == len(self.operands))
        return found if whole else None

    @property
    def quantized(self) -> bool:
        """Tell whether a quantized type is asked for."""
        return self.into is not None


@dataclass(frozen=True)
class RuleSubject:
    """A model to check, what it is for, and what is known of how it was quantized."""

    model: onnx.ModelProto
    build_target: BuildTarget = ANY_TARGET
    account: QuantizationAccount | None = None
    """What quantization asked of each layer; None where trtbuild has not quantized it."""
    ranges: Mapping[str, Range] = field(default_factory=dict)
    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Of the inputs, for counting; dimensions that nobody gives count as 1."""
    allow_float: tuple[str, ...] = ()
    """Patterns over layers that may be float where INT8 was asked for."""
    norms_folded: bool = False
    """Whether the fix `fold_batchnorm` was there: what norms are left, it left."""

    @cached_property
    def view(self) -> GraphView:
        """The model's index."""
        return GraphView(self.model)

    @cached_property
    def macs(self) -> dict[str, int]:
        """Multiply-accumulates by weighted node."""
        return count_macs(self.model, self.shapes)

    @cached_property
    def computed(self) -> tuple[int, ...]:
        """The places of Q and DQ nodes whose scale or zero point is no constant."""
        return tuple(
            index
            for index, node in enumerate(self.view.nodes)
            if node.op_type in LINEAR
            and not all(self.view.is_constant(name) for name in node.input[1:3] if name)
        )

    @cached_property
    def linears(self) -> dict[int, LinearNode]:
        """Every Q and DQ node that can be read, by its place."""
        return {
            index: read_linear(self.view, index)
            for index, node in enumerate(self.view.nodes)
            if node.op_type in LINEAR and index not in self.computed
        }

    @cached_property
    def stored(self) -> dict[int, StoredConstant]:
        """The dequantized constants, by the place of their DequantizeLinear."""
        return {
            each.dequantizer.index: each for each in find_stored_constants(self.view, self.linears)
        }

    @cached_property
    def streams(self) -> tuple[QuantizedStream, ...]:
        """The quantized activations; none where a scale is computed."""
        return () if self.computed else tuple(find_streams(self.view, self.linears))

    @cached_property
    def layers(self) -> tuple[WeightedReading, ...]:
        """The weighted nodes of the top graph."""
        return tuple(
            WeightedReading(
                index, name_of(node), node.op_type, (self._behind(index, 0), self._behind(index, 1))
            )
            for index, node in enumerate(self.view.nodes)
            if node.op_type in WEIGHTED and len(node.input) > 1
        )

    def _behind(self, index: int, slot: int) -> LinearNode | None:
        if self.computed:
            return None
        return find_dequantizer(self.view, self.view.nodes[index].input[slot], self.linears)

    @property
    def requested_layers(self) -> tuple[WeightedReading, ...]:
        """The layers that ask for a quantized type and may not be float."""
        names = {layer.name for layer in self.layers}
        return tuple(
            layer
            for layer in self.layers
            if layer.quantized
            and not any(means_node(each, layer.name, layer.op, names) for each in self.allow_float)
        )

    @property
    def word(self) -> str:
        """The types that its layers ask for, in words: `INT8`."""
        return join_words(layer.into.name for layer in self.layers if layer.into is not None)

    def node_name(self, index: int) -> str:
        """Return the name of the node at a place."""
        return name_of(self.view.nodes[index])
