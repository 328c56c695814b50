"""What a backend must know of an ONNX model: its signature, its weighted layers, its constants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.backends.base import LayerRequest
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.model.nodes import WEIGHTED, iterate_bodies, name_of

if TYPE_CHECKING:
    import onnx

__all__ = ["OnnxModel"]

PASSING = (
    *("Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "MaxPool", "Reshape"),
    *("Resize", "Slice", "SpaceToDepth", "Split", "Squeeze", "Transpose", "Unsqueeze"),
)
"""Operators that keep their input's quantization: a DequantizeLinear before them reaches on."""
RANDOM = ("RandomNormal", "RandomUniform")
"""Operators that make a tensor from nothing, and yet no constant."""

PAIR = ("QuantizeLinear", "DequantizeLinear")
UINT8 = 2
_FLOATS = {10: "fp16", 16: "bf16"}
_WORDS = dict.fromkeys((17, 18, 19, 20), "fp8") | dict.fromkeys((21, 22), "int4")
"""TensorProto's data types, which have names only once onnx is imported."""


class OnnxModel:
    """An ONNX model, read once; its weights are never looked at, only their dimensions."""

    def __init__(self, proto: onnx.ModelProto) -> None:
        graph = proto.graph
        # A copy of the nodes alone: they would keep the whole file in memory.
        self.nodes = list(type(graph)(node=graph.node).node)
        self._makers = {name: node for node in self.nodes for name in node.output if name}
        self._stored = {tensor.name: _StoredConstant.of(tensor) for tensor in graph.initializer}
        self.inputs = tuple(_spec(value) for value in graph.input if value.name not in self._stored)
        self.outputs = tuple(_spec(value) for value in graph.output)
        self._stored |= dict(_constants(self.nodes))
        self.split = any(tensor.data_location for tensor in graph.initializer)
        """Whether weights lie in a file beside the model."""

    @classmethod
    def read(cls, path: Path) -> OnnxModel:
        """Read a model.

        Raises:
            StepInputError: it is not an ONNX model, or one without outputs.
        """
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

        try:
            proto = onnx.load(path, load_external_data=False)
        except DecodeError:
            raise StepInputError(
                "the model is not ONNX, or was cut off",
                hint="export the model again",
            ) from None
        if not proto.graph.output:
            raise StepInputError(
                "the model has no outputs; there is nothing to build",
                hint="export the model again",
            )
        return cls(proto)

    def maker(self, tensor: str) -> onnx.NodeProto | None:
        """Return the node that makes a tensor; None for an input or an initializer."""
        return self._makers.get(tensor)

    def node(self, name: str) -> onnx.NodeProto | None:
        """Return the weighted node that has a name."""
        return self._weighted.get(name)

    def list_requests(self) -> tuple[LayerRequest, ...]:
        """Read from the graph itself which precision each weighted layer is in.

        `int8` where both operands come out of a DequantizeLinear; else what its weight is.
        """
        return tuple(
            LayerRequest(name, node.op_type, self._precision(node))
            for name, node in self._weighted.items()
        )

    def dims(self, tensor: str) -> tuple[int, ...] | None:
        """Return the dimensions of a stored constant; None for anything else."""
        stored = self._stored.get(tensor)
        return None if stored is None else stored.dims

    def is_constant(self, tensor: str) -> bool:
        """Tell whether a tensor is made from constants alone."""
        return tensor in self._constants

    def dequantizer(self, tensor: str) -> onnx.NodeProto | None:
        """Return the DequantizeLinear that a tensor comes from, through operators that pass it."""
        node = self._makers.get(tensor)
        while node is not None and node.op_type in PASSING:
            node = self._makers.get(node.input[0])
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
        if None not in pairs and len(words) == 1:
            return words.pop()
        weight = self._stored.get(node.input[1])
        return _FLOATS.get(weight.dtype if weight else 0, "fp32")

    def _kind(self, node: onnx.NodeProto) -> int:
        """Return TensorProto's data type of the integers that a Q makes or a DQ reads; 0: open."""
        for name in (*node.input[2:3], node.input[0] if node.op_type == PAIR[1] else ""):
            if name in self._stored:
                return self._stored[name].dtype
        if node.op_type == PAIR[0] and len(node.input) == 2:  # noqa: PLR2004
            return next((each.i for each in node.attribute if each.name == "output_dtype"), UINT8)
        return 0

    @cached_property
    def _weighted(self) -> dict[str, onnx.NodeProto]:
        return {name_of(node): node for node in _all_of(self.nodes) if node.op_type in WEIGHTED}

    @cached_property
    def _constants(self) -> frozenset[str]:
        known = {"", *self._stored}
        for node in self.nodes:
            if node.op_type not in RANDOM and known.issuperset(node.input):
                known.update(node.output)
        return frozenset(known)


def _all_of(nodes: Any) -> Iterator[onnx.NodeProto]:
    """Yield nodes, then those in their bodies (`If`, `Loop`)."""
    yield from nodes
    for node in nodes:
        for body in iterate_bodies(node):
            yield from _all_of(body.node)


@dataclass(frozen=True)
class _StoredConstant:
    """What is known of a constant that the file holds."""

    dims: tuple[int, ...]
    dtype: int

    @classmethod
    def of(cls, tensor: onnx.TensorProto) -> _StoredConstant:
        return cls(tuple(tensor.dims), tensor.data_type)


def _constants(nodes: Sequence[onnx.NodeProto]) -> Iterator[tuple[str, _StoredConstant]]:
    for node in nodes:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    yield node.output[0], _StoredConstant.of(attribute.t)
                elif attribute.name in ("value_float", "value_int"):
                    yield node.output[0], _StoredConstant((), 0)


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    import onnx

    tensor = value.type.tensor_type
    shape = tuple(
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?"
        for dim in tensor.shape.dim
    )
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name if tensor.elem_type else "?"
    return TensorSpec(name=value.name, dtype=dtype, shape=shape)
