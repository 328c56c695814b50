"""The skip input of a residual Add: the one that INT8 carries past the convolutions."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from trtbuild.model.view import GraphView
from trtbuild.quant.half_types import QUANTIZED_TYPES

__all__ = ["Residual", "find_residuals"]

FUSED = frozenset(
    "BatchNormalization Identity Relu LeakyRelu PRelu Clip HardSwish Elu Sigmoid Tanh".split()  # noqa: SIM905
)
"""Between a Conv and the Add, operators that the builder fuses into the Conv."""


@dataclass(frozen=True)
class Residual:
    """A residual Add: the slot of its skip input, and the Conv that the Add is fused into."""

    add: int
    """The Add's place in the graph."""
    skip: int
    conv: int
    """The Conv's place in the graph."""


def find_residuals(view: GraphView) -> list[Residual]:
    """Find every Add of a fresh Conv output and another activation, in graph order.

    The builder fuses such an Add into the Conv, which then reads the other input, the skip, as
    it lies in memory: INT8 if quantized. Where both inputs are fresh Conv outputs (the first
    block of a ResNet stage) the skip is the shorter way from where the branches part, as in
    NVIDIA's ModelOpt; of two equal ways, the second input.
    """
    return [
        found
        for index, node in enumerate(view.nodes)
        if node.op_type == "Add" and (found := _residual(view, index)) is not None
    ]


def _residual(view: GraphView, add: int) -> Residual | None:
    first, second = view.nodes[add].input
    if first == second or any(view.is_constant(name) for name in (first, second)):
        return None
    convs = [_conv_behind(view, first), _conv_behind(view, second)]
    if convs == [None, None]:
        return None
    main = convs.index(None) ^ 1 if None in convs else _longer_way(view, first, second)
    skip = main ^ 1
    conv = convs[main]
    if conv is None or view.dtype((first, second)[skip]) not in {*QUANTIZED_TYPES, None}:
        return None
    return Residual(add=add, skip=skip, conv=conv)


def _conv_behind(view: GraphView, tensor: str) -> int | None:
    """Return the Conv whose output reaches `tensor` through fused operators only."""
    while view.is_read(tensor, times=1):
        index = view.producers.get(tensor)
        if index is None:
            return None
        node = view.nodes[index]
        if node.op_type == "Conv":
            return index
        if node.op_type in FUSED or _by_constant(view, index):
            tensor = _activation(view, index)
        elif (gated := _find_gated_input(view, index)) is not None:
            tensor = gated
            conv = view.producers.get(tensor)
            is_conv = conv is not None and view.nodes[conv].op_type == "Conv"
            return conv if is_conv else None
        else:
            return None
    return None


def _activation(view: GraphView, index: int) -> str:
    names = view.nodes[index].input
    return str(next((name for name in names if not view.is_constant(name)), names[0]))


def _by_constant(view: GraphView, index: int) -> bool:
    """Tell a bias or a factor from the Add or Mul of two activations."""
    node = view.nodes[index]
    return node.op_type in {"Add", "Mul"} and any(view.is_constant(name) for name in node.input)


def _find_gated_input(view: GraphView, index: int) -> str | None:
    """Return x where the node is `Mul(x, Sigmoid(x))` (SiLU) and nothing else reads x."""
    node = view.nodes[index]
    if node.op_type != "Mul":
        return None
    for value, gate in (tuple(node.input), tuple(node.input)[::-1]):
        maker = view.producer(gate)
        if maker is not None and maker.op_type == "Sigmoid" and maker.input[0] == value:
            return str(value) if view.is_read(value, times=2) else None
    return None


def _longer_way(view: GraphView, first: str, second: str) -> int:
    """Return 0 or 1: which input is further from where the two branches part."""
    ways = _distances(view, first), _distances(view, second)
    common = ways[0].keys() & ways[1].keys()
    if not common:
        return 0
    parting = min(common, key=lambda tensor: (ways[0][tensor] + ways[1][tensor], tensor))
    return 0 if ways[0][parting] >= ways[1][parting] else 1


def _distances(view: GraphView, tensor: str) -> dict[str, int]:
    """Return how many nodes lie between each ancestor and a tensor, at least."""
    distances = {tensor: 0}
    queue = deque([tensor])
    while queue:
        name = queue.popleft()
        node = view.producer(name)
        for source in node.input if node is not None else ():
            if source and source not in distances and not view.is_constant(source):
                distances[source] = distances[name] + 1
                queue.append(source)
    return distances
