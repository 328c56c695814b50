"""Make a quantized model a float one again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.pairs import DEQUANTIZE, QUANTIZE, Linear, find_linears, is_output

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["RemoveQdq"]


class RemoveQdq(FixKind):
    """Drop every pair of QuantizeLinear and DequantizeLinear; integer weights become float.

    `y = DequantizeLinear(QuantizeLinear(x))`  →  readers of y read x, unrounded and unclipped.

    What integer weights have lost is not got back. Results move; how far is said. Left alone:
    integers that other operators read, and those that come from elsewhere.
    """

    measured: ClassVar[Literal["", "equal", "moved"]] = "moved"

    kind: Literal["remove_qdq"]

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done."""
        log, pairs, weights = FixLog(), 0, 0
        for linear in find_linears(graph, DEQUANTIZE):
            reason = _find_reason(graph, linear)
            if reason:
                log.left(linear.node.name, reason)
                continue
            if linear.source.inputs:
                _bypass(graph, linear)
                pairs += 1
                log.changed(linear.node.name)
            else:
                _make_float(linear)
                weights += 1
                log.changed(linear.node.name, "its weights are float")
        graph.cleanup()
        for linear in find_linears(graph, QUANTIZE):
            log.left(linear.node.name, "other operators read its integers, or nothing does")
        if log.changes:
            log.remark(f"remove_qdq: {pairs} pairs dropped, {weights} constants dequantized")
        return log


def _find_reason(graph: gs.Graph, linear: Linear) -> str:
    """Say why a DequantizeLinear has to stay; empty where it can go."""
    import onnx_graphsurgeon as gs

    if isinstance(linear.source, gs.Constant):
        if not linear.is_known:
            return "its scale is computed"
        return "its output is a graph output" if is_output(graph, linear.result) else ""
    maker = linear.source.inputs[0].op if linear.source.inputs else "the outside"
    return "" if maker == QUANTIZE else f"its integers come from {maker}"


def _bypass(graph: gs.Graph, linear: Linear) -> None:
    source, result = linear.source.inputs[0].inputs[0], linear.result
    if is_output(graph, result):  # the name is part of the model's signature
        linear.node.op, linear.node.domain, linear.node.attrs = "Identity", None, {}
        linear.node.inputs = [source]
        return
    for reader in list(result.outputs):
        reader.inputs = [source if each is result else each for each in reader.inputs]
    linear.node.outputs.clear()


def _make_float(linear: Linear) -> None:
    values = linear.dequantize()
    result = linear.result
    linear.node.outputs.clear()
    result.to_constant(values)
