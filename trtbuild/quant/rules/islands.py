"""Where INT8 layers hang together, and where floats stand between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trtbuild.model.view import GraphView
from trtbuild.quant.flow import AVERAGING, passes

__all__ = ["Islands", "find_islands"]

FUSED = frozenset(
    "Abs Add BatchNormalization Cast Celu Clip DequantizeLinear Div Dropout Elu Erf Exp Gelu "  # noqa: SIM905
    "HardSigmoid HardSwish Identity LayerNormalization LeakyRelu Log Max Min Mish Mul Neg PRelu "
    "Pow QuantizeLinear Reciprocal Relu Selu Sigmoid Softmax Softplus Softsign Sqrt Sub Swish Tanh "
    "ThresholdedRelu".split()
)
"""Operators that become part of the kernel before or after them, quantization included."""


@dataclass(frozen=True)
class Islands:
    """How a model's INT8 layers lie in it."""

    count: int
    """Groups of INT8 layers with nothing but fused operators and pooling between them."""
    float_edges: tuple[str, ...]
    """Tensors made in float between two INT8 layers, by nodes that nothing fuses."""
    breakers: tuple[int, ...]
    """The places of the nodes that make them, in graph order."""


def find_islands(view: GraphView, int8: Iterable[int]) -> Islands:
    """Group the INT8 layers at some places of a graph, and find the float edges between them."""
    layers = set(int8)
    behind = _layers_behind(view, layers)
    group = {index: index for index in layers}
    edges: dict[str, int] = {}
    for index in sorted(layers):
        waiting = list(view.nodes[index].input)
        seen = set(waiting)
        for tensor in waiting:  # grows while it is walked
            maker = view.producers.get(tensor)
            if maker is None:
                continue
            if maker in layers:
                _join(group, index, maker)
            elif _is_fused(view, maker):
                new = [name for name in view.nodes[maker].input if name and name not in seen]
                seen.update(new)
                waiting += new
            elif behind.get(maker):
                edges[tensor] = maker
    roots = {_root(group, index) for index in layers}
    return Islands(len(roots), tuple(edges), tuple(sorted(set(edges.values()))))


def _is_fused(view: GraphView, index: int) -> bool:
    node = view.nodes[index]
    if node.op_type in FUSED or any(passes(view, index, slot) for slot in range(len(node.input))):
        return True
    maker = view.producer(node.input[0]) if node.input else None
    quantized = maker is not None and maker.op_type == "DequantizeLinear"
    # TensorRT-RTX fuses the average over all of a picture with what reads it; others it needs INT8.
    whole = node.op_type in {"GlobalAveragePool", "ReduceMean"}
    return whole or (node.op_type in AVERAGING and quantized)


def _layers_behind(view: GraphView, layers: set[int]) -> Mapping[int, bool]:
    """Tell for each node whether some INT8 layer lies before it."""
    behind: dict[int, bool] = {}
    for index, node in enumerate(view.nodes):
        makers = (view.producers.get(name) for name in node.input)
        behind[index] = any(
            maker is not None and (maker in layers or behind.get(maker, False)) for maker in makers
        )
    return behind


def _root(group: dict[int, int], index: int) -> int:
    while group[index] != index:
        index = group[index]
    return index


def _join(group: dict[int, int], one: int, other: int) -> None:
    first, second = sorted((_root(group, one), _root(group, other)))
    group[second] = first
