"""The quantization that a model brings along: its Q and DQ nodes, and what they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.model.folding import fold_value
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView, read_ints
from trtbuild.quant.flow import passes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "LINEAR",
    "QUANTIZED_OTHERWISE",
    "REFUSED",
    "LinearNode",
    "QuantizedStream",
    "StoredConstant",
    "find_stored_constants",
    "find_streams",
    "is_quantized",
    "read_linear",
    "read_linears",
]

LINEAR = ("QuantizeLinear", "DequantizeLinear")
REFUSED = {
    "ConvInteger": "dynamic",
    "DynamicQuantizeLinear": "dynamic",
    "MatMulInteger": "dynamic",
    "MatMulIntegerToFloat": "dynamic",
}
QUANTIZED_OTHERWISE = (
    "give the float model that it was made of, and trtbuild quantizes it (`quantization`); or "
    "quantize it statically, with quant_format=QuantFormat.QDQ"
)


@dataclass(frozen=True)
class LinearNode:
    """A QuantizeLinear or DequantizeLinear node, read."""

    index: int
    name: str
    scale: npt.NDArray[np.floating]
    zero: npt.NDArray[np.int64]
    """The zero points; one zero where none is written."""
    dtype: str
    """The type on its integer side, in ONNX's word: `int8`."""
    axis: int

    @property
    def symmetric(self) -> bool:
        """Tell whether every zero point is zero."""
        return not self.zero.any()


@dataclass(frozen=True)
class StoredConstant:
    """A constant behind a DequantizeLinear: integers, or floats behind a QuantizeLinear."""

    tensor: str
    """The constant's name."""
    dequantizer: LinearNode
    quantizer: LinearNode | None


@dataclass(frozen=True)
class QuantizedStream:
    """An activation's integers: where they are made, and every place where they end."""

    tensor: str
    """The activation that is quantized; the float result where the integers come from outside."""
    quantizer: LinearNode | None
    """None where the integers come from outside, or from an operator on integers."""
    dequantizers: tuple[LinearNode, ...]
    integers: tuple[str, ...]
    """The tensors between its ends."""

    @property
    def linears(self) -> tuple[LinearNode, ...]:
        """Return all its nodes."""
        return self.dequantizers if self.quantizer is None else (self.quantizer, *self.dequantizers)


def is_quantized(view: GraphView) -> bool:
    """Tell whether a model carries quantization of its own.

    Raises:
        StepInputError: it does, in a form that no TensorRT takes.
    """
    for node in view.nodes:
        if node.op_type.startswith("QLinear"):
            raise StepInputError(
                f"node `{name_of(node)}` is a {node.op_type}: TensorRT takes quantization as "
                "QuantizeLinear and DequantizeLinear around float operators",
                hint=QUANTIZED_OTHERWISE,
            )
        if node.op_type in REFUSED:
            raise StepInputError(
                f"node `{name_of(node)}` is a {node.op_type}: TensorRT has no dynamic quantization",
                hint=QUANTIZED_OTHERWISE,
            )
    return any(node.op_type in LINEAR for node in view.nodes)


def read_linears(view: GraphView) -> dict[int, LinearNode]:
    """Read every Q and DQ node of the top graph, by its place.

    Raises:
        StepInputError: a scale or zero point is computed while the model runs.
    """
    return {
        index: read_linear(view, index)
        for index, node in enumerate(view.nodes)
        if node.op_type in LINEAR
    }


def find_stored_constants(
    view: GraphView, linears: dict[int, LinearNode]
) -> Iterator[StoredConstant]:
    """Yield the dequantized constants, in graph order."""
    for index, linear in linears.items():
        node = view.nodes[index]
        if node.op_type != "DequantizeLinear":
            continue
        source = node.input[0]
        quantizer = linears.get(view.producers.get(source, -1))
        if view.is_constant(source):
            yield StoredConstant(view.root(source), linear, None)
        elif quantizer is not None and view.is_constant(view.nodes[quantizer.index].input[0]):
            yield StoredConstant(view.root(view.nodes[quantizer.index].input[0]), linear, quantizer)


def find_streams(view: GraphView, linears: dict[int, LinearNode]) -> Iterator[QuantizedStream]:
    """Yield the quantized activations, in graph order; integers may pass through pooling etc."""
    constant = {found.dequantizer.index for found in find_stored_constants(view, linears)}
    reached: set[int] = set()
    for index, linear in linears.items():
        node = view.nodes[index]
        if node.op_type == "QuantizeLinear" and not view.is_constant(node.input[0]):
            ends, integers = _flow(view, node.output[0])
            reached |= set(ends)
            yield QuantizedStream(
                node.input[0], linear, tuple(linears[end] for end in ends), integers
            )
    for index, linear in linears.items():
        if view.nodes[index].op_type == "DequantizeLinear" and index not in reached | constant:
            yield QuantizedStream(view.nodes[index].output[0], None, (linear,), ())


def _flow(view: GraphView, tensor: str) -> tuple[list[int], tuple[str, ...]]:
    """Return the DequantizeLinear nodes that integers flow into, and the tensors on the way."""
    ends: list[int] = []
    integers = [tensor]
    for name in integers:  # grows while it is walked
        for index, slot in view.readers.get(name, ()):
            node = view.nodes[index]
            if node.op_type == "DequantizeLinear":
                ends.append(index)
            elif passes(view, index, slot):
                integers += [made for made in node.output if made and made not in integers]
    return ends, tuple(integers)


def read_linear(view: GraphView, index: int) -> LinearNode:
    """Read the Q or DQ node at a place.

    Raises:
        StepInputError: its scale or zero point is computed while the model runs.
    """
    import numpy as np

    node = view.nodes[index]
    for operand, word in zip(node.input[1:3], ("scale", "zero point"), strict=False):
        if operand and not view.is_constant(operand):
            raise StepInputError(
                f"the {word} `{operand}` of {node.op_type} `{name_of(node)}` is computed while the "
                "model runs: TensorRT wants a constant, and TensorRT-RTX crashes",
                hint="fold it into a constant, or give the float model",
            )
    has_zero = len(node.input) > 2 and node.input[2]  # noqa: PLR2004
    return LinearNode(
        index=index,
        name=name_of(node),
        scale=np.asarray(fold_value(view, node.input[1])),
        zero=fold_value(view, node.input[2]).astype(np.int64)
        if has_zero
        else np.zeros((), np.int64),
        dtype=_dtype(view, index),
        axis=_axis(view, index),
    )


def _axis(view: GraphView, index: int) -> int:
    """Return the axis of a node's scales, counted from the front where it is one."""
    node = view.nodes[index]
    axis = (read_ints(node, "axis") or (1,))[0]
    rank = len(view.dims(node.input[0]) or ())
    return axis + rank if -rank <= axis < 0 else axis


def _dtype(view: GraphView, index: int) -> str:
    import onnx

    node = view.nodes[index]
    if len(node.input) > 2 and node.input[2]:  # noqa: PLR2004
        return view.dtype(node.input[2]) or "unknown"
    if node.op_type == "DequantizeLinear":
        return view.dtype(node.input[0]) or "unknown"
    written = (read_ints(node, "output_dtype") or (0,))[0]
    # ONNX says so; TensorRT takes it for int8 all the same.
    return onnx.TensorProto.DataType.Name(written).lower() if written else "uint8"
