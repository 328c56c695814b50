"""QuantizeLinear and DequantizeLinear nodes: their scales, zero points and constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trtbuild.core.frozen import frozen
from trtbuild.fixes.tensors import iterate_all_nodes

if TYPE_CHECKING:
    import numpy as np
    import onnx_graphsurgeon as gs

__all__ = ["DEQUANTIZE", "QUANTIZE", "Linear", "find_linears", "is_output"]

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
DOMAINS = {None, "", "ai.onnx", "com.microsoft"}
ZERO = 2
"""Where a node reads its zero point."""


@frozen
class Linear:
    """A node of a pair."""

    node: gs.Node

    @property
    def source(self) -> gs.Tensor:
        """What it reads."""
        return self.node.inputs[0]

    @property
    def result(self) -> gs.Tensor:
        """What it makes."""
        return self.node.outputs[0]

    @property
    def is_known(self) -> bool:
        """Tell whether scale and zero point are constants."""
        import onnx_graphsurgeon as gs

        read = [each for each in self.node.inputs[1:] if not each.is_empty()]
        return all(isinstance(each, gs.Constant) for each in read)

    def scale(self) -> np.ndarray:
        """Return the scale."""
        values: np.ndarray = self.node.inputs[1].values
        return values

    def zero(self) -> np.ndarray | None:
        """Return the zero point; None where none is given."""
        there = len(self.node.inputs) > ZERO and not self.node.inputs[ZERO].is_empty()
        return self.node.inputs[ZERO].values if there else None

    def spread(self, values: np.ndarray, shape: tuple[int, ...]) -> Any:
        """Return a scale or zero point as it meets each value of an array of this shape."""
        import numpy as np

        if values.size == 1:
            return values.reshape(())
        axis = self.node.attrs.get("axis", 1) % max(len(shape), 1)
        if block := self.node.attrs.get("block_size", 0):
            return np.repeat(values, block, axis=axis)[tuple(slice(0, n) for n in shape)]
        return values.reshape([-1 if place == axis else 1 for place in range(len(shape))])

    def dequantize(self) -> np.ndarray:
        """Return the float values of a constant of integers."""
        import numpy as np

        held = self.source.values
        numbers = held.astype(np.float64)
        zero = self.zero()
        if zero is not None:
            numbers = numbers - self.spread(zero.astype(np.float64), held.shape)
        scale = self.scale()
        made = numbers * self.spread(scale.astype(np.float64), held.shape)
        return np.asarray(made.astype(scale.dtype))


def find_linears(graph: gs.Graph, op: str) -> Iterator[Linear]:
    """Yield the nodes that quantize, or dequantize, of a graph and those inside."""
    for node in list(iterate_all_nodes(graph)):
        if node.op == op and node.domain in DOMAINS:
            yield Linear(node)


def is_output(graph: gs.Graph, tensor: gs.Tensor) -> bool:
    """Tell whether a tensor leaves the graph, or one of those inside."""
    every = (graph, *graph.subgraphs(recursive=True))
    return any(tensor is output for each in every for output in each.outputs)
