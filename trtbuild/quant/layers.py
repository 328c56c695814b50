"""Layer: how a weighted node (Conv, Gemm, MatMul, ...) reads its activations and its weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.quant.view import View, ints_of, name_of

if TYPE_CHECKING:
    import onnx

__all__ = ["WEIGHTED", "Layer", "Weight", "layers_of"]

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


@dataclass(frozen=True)
class Weight:
    """A constant operand: its input slot, and the axis of its output channels."""

    slot: int
    axis: int
    """One scale for each index along it."""


@dataclass(frozen=True)
class Layer:
    """A weighted node, read: which operands INT8 needs quantized, or why it cannot be had."""

    index: int
    """The node's place in the graph."""
    name: str
    op: str
    activations: tuple[int, ...] = ()
    """Input slots that hold activations."""
    weight: Weight | None = None
    """None where both operands are activations (the MatMuls of an attention)."""
    reason: str = ""
    """Why INT8 is out of the question, whatever the recipe says; empty where it is not."""


def layers_of(view: View) -> list[Layer]:
    """Read every weighted node of the top graph, in graph order."""
    return [
        _READ[node.op_type](view, index, node)
        for index, node in enumerate(view.nodes)
        if node.op_type in _READ and node.domain in {"", "ai.onnx"}
    ]


def _conv(view: View, index: int, node: onnx.NodeProto) -> Layer:
    """Conv's weight is [out, in / group, ...]: axis 0 holds the output channels."""
    return _with_weight(view, index, node, Weight(slot=1, axis=0))


def _conv_transpose(view: View, index: int, node: onnx.NodeProto) -> Layer:
    """ConvTranspose's weight is [in, out / group, ...]: axis 1 holds a group's output channels.

    With groups, index i along axis 1 is a channel of every group: they share a scale.
    """
    return _with_weight(view, index, node, Weight(slot=1, axis=1))


def _gemm(view: View, index: int, node: onnx.NodeProto) -> Layer:
    """Gemm's B is [K, N], or [N, K] with transB: the scale goes with N.

    A constant A is [M, K], or [K, M] with transA: the scale goes with M.
    """
    a_last = _flag(node, "transA")
    b_last = not _flag(node, "transB")
    return _matrix(view, index, node, a_axis=int(a_last), b_axis=int(b_last))


def _matmul(view: View, index: int, node: onnx.NodeProto) -> Layer:
    """MatMul's B is [..., K, N]: the scale goes with N; a constant A's [..., M, K] with M.

    RTX 1.7.1 delivers INT8 for both, and for weights of three dimensions.
    """
    a, b = (len(view.dims(name) or ()) for name in node.input)
    return _matrix(view, index, node, a_axis=a - 2, b_axis=b - 1)


def _matrix(view: View, index: int, node: onnx.NodeProto, *, a_axis: int, b_axis: int) -> Layer:
    if view.is_constant(node.input[1]):
        return _with_weight(view, index, node, Weight(slot=1, axis=b_axis))
    if view.is_constant(node.input[0]):
        return _with_weight(view, index, node, Weight(slot=0, axis=a_axis))
    return _of_activations(view, index, node)


def _flag(node: onnx.NodeProto, attribute: str) -> bool:
    return (ints_of(node, attribute) or (0,)) != (0,)


def _with_weight(view: View, index: int, node: onnx.NodeProto, weight: Weight) -> Layer:
    other = 1 - weight.slot
    activation = node.input[other]
    reason = _unfit(view, node.input[weight.slot])
    if not reason and view.is_constant(activation):
        reason = "its input is constant"
    if not reason and len(view.dims(activation) or (0, 0)) <= 1:
        reason = "its input is a vector or a scalar"
    if reason:
        return _left(index, node, reason)
    return Layer(index, name_of(node), node.op_type, activations=(other,), weight=weight)


def _unfit(view: View, weight: str) -> str:
    if not view.is_constant(weight):
        return "its weight is not constant"
    dtype, dims = view.dtype(weight), view.dims(weight)
    if dtype is None or dims is None:
        return "the shape of its weight is not known"
    if dtype != "float":
        return f"its weight is {dtype}, and only float32 is quantized"
    if 0 in dims:
        return "its weight is empty"
    return "its weight is a vector" if len(dims) <= 1 else ""


def _of_activations(view: View, index: int, node: onnx.NodeProto) -> Layer:
    for tensor in node.input[:2]:
        dtype = view.dtype(tensor)
        if dtype is None:
            return _left(index, node, f"the type of `{tensor}` is not known")
        if dtype != "float":
            return _left(index, node, f"`{tensor}` is {dtype}, and only float32 is quantized")
        if len(view.dims(tensor) or (0, 0)) <= 1:
            return _left(index, node, f"`{tensor}` is a vector or a scalar")
    return Layer(index, name_of(node), node.op_type, activations=(0, 1))


def _left(index: int, node: onnx.NodeProto, reason: str) -> Layer:
    return Layer(index, name_of(node), node.op_type, reason=reason)


_READ: dict[str, Callable[[View, int, onnx.NodeProto], Layer]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Gemm": _gemm,
    "MatMul": _matmul,
}
