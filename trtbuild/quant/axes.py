"""Which axis of a weight holds the output channels of the node that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.model.view import GraphView, read_ints

if TYPE_CHECKING:
    import onnx

__all__ = ["find_contracted_axis", "find_operand_axis", "find_output_axis"]


def find_operand_axis(view: GraphView, node: onnx.NodeProto, slot: int) -> int | None:
    """Return the axis of output channels of a weighted node's operand; None where there is none.

    - Conv [out, in / group, ...]: 0. ConvTranspose [in, out / group, ...]: 1; with groups, index
      i along it is a channel of every group, and they share a scale.
    - Gemm: of B, [K, N] or with transB [N, K], that of N; of A, [M, K] or [K, M], that of M.
    - MatMul: of B, [..., K, N], the last; of A, [..., M, K], the last but one. TensorRT-RTX 1.7.1
      delivers INT8 for both, and for weights of three dimensions.
    """
    if node.op_type in {"Conv", "ConvTranspose"}:
        return int(node.op_type == "ConvTranspose") if slot == 1 else None
    if node.op_type == "Gemm" and slot <= 1:
        turned = (read_ints(node, "transB" if slot else "transA") or (0,)) != (0,)
        return int(turned != bool(slot))
    dims = view.dims(node.input[slot])
    if node.op_type == "MatMul" and dims is not None:
        return max(len(dims) - 2 + slot, 0)
    return None


def find_contracted_axis(view: GraphView, node: onnx.NodeProto, slot: int) -> int:
    """Return the axis of inputs of a Gemm's or MatMul's constant operand, which is summed over.

    Of two axes the one beside that of the output channels; of more (MatMul alone) as of the last
    two.
    """
    rank = len(view.dims(node.input[slot]) or ())
    channels = find_operand_axis(view, node, slot) or 0
    return 2 * rank - 3 - channels


def find_output_axis(view: GraphView, tensor: str) -> int | None:
    """Return the axis of output channels of a weight, by what reads it, through `Transpose` too.

    None where nobody reads it as a weight, or two readers disagree.
    """
    axes = set()
    for index, slot in view.readers.get(tensor, ()):
        node = view.nodes[index]
        if node.op_type == "Transpose":
            inner = find_output_axis(view, node.output[0])
            turned = read_ints(node, "perm") or tuple(range(len(view.dims(tensor) or ())))[::-1]
            axes.add(None if inner is None or inner >= len(turned) else turned[inner])
        elif node.op_type == "Identity":
            axes.add(find_output_axis(view, node.output[0]))
        else:
            axes.add(find_operand_axis(view, node, slot))
    return axes.pop() if len(axes) == 1 else None
