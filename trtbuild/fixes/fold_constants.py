"""Compute what depends on constants alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from trtbuild.core.options import ByteSize
from trtbuild.fixes.base import FixKind, FixLog

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["FoldConstants"]

UNKNOWN = "how large its result would be is not known"


class FoldConstants(FixKind):
    """Compute what depends on constants, or on sizes that are known, and keep the result.

    `y = f(c)`  →  y is a constant, computed by ONNX Runtime.

    Left alone: quantizing and dequantizing nodes (a pair around a weight is how INT8 is asked
    for), random nodes, nodes of other domains, nodes with subgraphs, and results that are both
    larger than what they are made of and larger than `size_limit`.
    """

    equal: ClassVar[bool] = True
    facts: ClassVar[tuple[str, ...]] = ("onnxruntime",)

    kind: Literal["fold_constants"]
    size_limit: ByteSize = 1 << 20
    """How large a result may be that is larger than its inputs (an Expand, a Tile): 1 MiB."""

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done."""
        import onnx_graphsurgeon as gs

        from trtbuild.model.shapes import complete_shapes

        account = FixLog()
        before = [
            tensor for node in graph.nodes for tensor in node.outputs if not tensor.is_empty()
        ]
        left = _results(graph)
        refused = self._fold(graph)
        while _results(graph) < left and _has_more(graph, refused):
            left = _results(graph.cleanup())
            complete_shapes(graph)  # a Reshape to what is constant now has a shape that is known
            refused = self._fold(graph)
        for tensor in before:
            if isinstance(tensor, gs.Constant):
                account.changed(tensor.name)
        for name, reason in refused.items():
            account.left(name, reason)
            if "size_limit" in reason:
                account.remark(f"{name} is not folded: {reason}")
        return account

    def _fold(self, graph: gs.Graph) -> dict[str, str]:
        """Fold once; return the nodes that could have been folded, and why they were not."""
        refused: dict[str, str] = {}

        def keep(node: gs.Node) -> bool:
            reason = self._reason_to_keep(node)
            if reason:
                refused[node.name] = reason
            return bool(reason)

        _fold_sizes(graph)
        constants = [tensor for tensor in graph.tensors().values() if _is_constant(tensor)]
        largest = max((_bytes(tensor) or 0 for tensor in constants), default=0)
        _evaluate(graph, keep, max(largest, self.size_limit))
        return refused

    def _reason_to_keep(self, node: gs.Node) -> str:
        import onnx_graphsurgeon as gs

        from trtbuild.model.nodes import RANDOM
        from trtbuild.model.plugins import has_operator

        if node.op in RANDOM:
            return "it is random"
        own = node.domain in {None, "", "ai.onnx"}
        if not own or not has_operator(node.op):
            return f"ONNX Runtime does not know {node.op if own else node.domain}"
        if any(isinstance(value, gs.Graph) for value in node.attrs.values()):
            return "it has subgraphs"
        if any(map(_in_a_file, node.inputs)):
            return "it reads a weight of a model over 2 GB, which stays in its file"
        return self._reason_of_size(node)

    def _reason_of_size(self, node: gs.Node) -> str:
        from trtbuild.model.shape_data import MAKERS

        if node.op in MAKERS and any(_bytes(tensor) is None for tensor in node.outputs):
            return UNKNOWN
        made = sum(_bytes(tensor) or 0 for tensor in node.outputs)
        read = sum(_bytes(tensor) or 0 for tensor in node.inputs)
        if made > max(read, self.size_limit):
            return f"its result of {made / 1e6:.1f} MB is over the size_limit"
        return ""


def _has_more(graph: gs.Graph, refused: Mapping[str, str]) -> bool:
    """Tell whether sizes that are constant now may let more be folded."""
    if UNKNOWN in refused.values():
        return True
    return any(node.op == "Shape" and node.outputs for node in graph.nodes)


def _results(graph: gs.Graph) -> int:
    """Count what is still computed: folding takes a result away from its node."""
    return sum(len(node.outputs) for node in graph.nodes)


def _evaluate(graph: gs.Graph, keep: Any, limit: int) -> None:
    """Let ONNX-GraphSurgeon find and compute constant expressions.

    Its own folding of shapes stays off: it reads Shape's start and end as if they were not
    there, and turns a float factor of 0.5 between casts into the integer 0.
    """
    settings = {
        "fold_shapes": False,
        "recurse_subgraphs": False,
        "flatten_subgraphs": False,
        "recurse_functions": False,
        "size_threshold": limit,
        "should_exclude_node": keep,
    }
    try:
        graph.fold_constants(error_ok=False, **settings)
    except Exception:  # noqa: BLE001  # ONNX Runtime cannot run one of them: take them one by one
        graph.fold_constants(partitioning="recursive", **settings)


def _is_constant(tensor: gs.Tensor) -> bool:
    import onnx_graphsurgeon as gs

    return isinstance(tensor, gs.Constant)


def _in_a_file(tensor: gs.Tensor) -> bool:
    from onnx_graphsurgeon.ir.tensor import LazyValues

    from trtbuild.model.weights_file import lies_beside

    held = getattr(tensor, "_values", None)
    return isinstance(held, LazyValues) and lies_beside(held.tensor)


def _bytes(tensor: gs.Tensor) -> int | None:
    """Return a tensor's size, or None where it is not known."""
    from onnx_graphsurgeon.importers.onnx_importer import get_itemsize

    shape = tensor.shape
    if shape is None or tensor.dtype is None or not all(isinstance(n, int) for n in shape):
        return None
    return int(math.prod(shape)) * int(get_itemsize(tensor.dtype))


def _fold_sizes(graph: gs.Graph) -> None:
    """Replace what is computed from known sizes: Shape, and Gather or Slice of it."""
    import numpy as np

    sizes: dict[int, list[int | None]] = {}
    for node in graph.nodes:
        known = _sizes(node, sizes)
        if known is None or len(node.outputs) != 1:
            continue
        result = node.outputs[0]
        sizes[id(result)] = known
        if all(size is not None for size in known):
            values = np.array(known, np.int64)
            scalar = node.op == "Gather" and node.inputs[1].values.ndim == 0
            result.to_constant(values.reshape(()) if scalar else values)
            result.inputs.clear()


def _sizes(node: gs.Node, sizes: dict[int, list[int | None]]) -> list[int | None] | None:
    """Return the sizes that a node computes, None for each one not known; None for other nodes."""
    if node.op == "Shape":
        shape = node.inputs[0].shape
        start, end = node.attrs.get("start", 0), node.attrs.get("end")
        return None if shape is None else _static(shape)[start:end]
    if not node.inputs or id(node.inputs[0]) not in sizes:
        return None
    known, rest = sizes[id(node.inputs[0])], node.inputs[1:]
    if not all(_is_constant(tensor) for tensor in rest):
        return None
    if node.op == "Gather" and rest[0].values.ndim <= 1:
        picked = [int(index) for index in rest[0].values.reshape(-1)]
        return (
            [known[i] for i in picked]
            if all(-len(known) <= i < len(known) for i in picked)
            else None
        )
    if node.op == "Slice" and len(rest) >= 2:  # noqa: PLR2004  # starts, ends, axes, steps
        start, end = int(rest[0].values[0]), int(rest[1].values[0])
        step = int(rest[3].values[0]) if len(rest) > 3 else 1  # noqa: PLR2004
        return known[start:end:step] if step > 0 else None
    return None


def _static(shape: Sequence[object]) -> list[int | None]:
    return [size if isinstance(size, int) else None for size in shape]
