"""The order of nodes: each behind those that it reads."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.model.nodes import iterate_bodies, iterate_subgraphs, name_of

if TYPE_CHECKING:
    import onnx

__all__ = ["sort_nodes"]


def sort_nodes(graph: onnx.GraphProto, where: str) -> bool:
    """Put nodes behind those that they read, and leave them where they are otherwise.

    Returns whether any had to move: float16 converters append their Casts at the end of a file.

    Raises:
        StepInputError: nodes wait for each other's results.
    """
    # Inner graphs first: replacing a graph's nodes copies them, with the graphs inside.
    moved = [_sort(each, where) for each in reversed([graph, *iterate_subgraphs(graph)])]
    return any(moved)


def _sort(graph: onnx.GraphProto, where: str) -> bool:
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    before = [{makers[name] for name in _read(node) & makers.keys()} for node in graph.node]
    if all(max(found, default=-1) < index for index, found in enumerate(before)):
        return False
    order = _ordered(before)
    if len(order) < len(graph.node):
        stuck = next(graph.node[index] for index, found in enumerate(before) if found)
        raise StepInputError(
            f"{where}: node `{name_of(stuck)}` ({stuck.op_type}) waits for what is made of its own "
            "result",
            hint="the model is broken: export it again",
        )
    nodes = [type(graph.node[0]).FromString(graph.node[i].SerializeToString()) for i in order]
    del graph.node[:]
    graph.node.extend(nodes)
    return True


def _ordered(before: Sequence[set[int]]) -> list[int]:
    """Return places in an order that the sets of those before them allow; uses the sets up."""
    behind: dict[int, list[int]] = {}
    for index, found in enumerate(before):
        for maker in found:
            behind.setdefault(maker, []).append(index)
    ready = [index for index, found in enumerate(before) if not found]
    order = []
    while ready:
        order.append(heapq.heappop(ready))
        for reader in behind.get(order[-1], ()):
            before[reader].discard(order[-1])
            if not before[reader]:
                heapq.heappush(ready, reader)
    return order


def _read(node: onnx.NodeProto) -> set[str]:
    """Return the tensors that a node reads, and those that its bodies read from outside."""
    found = set(node.input)
    for body in iterate_bodies(node):
        own = {value.name for values in (body.input, body.initializer) for value in values}
        own |= {name for inner in body.node for name in inner.output}
        inside = {name for inner in body.node for name in _read(inner)}
        found |= (inside | {value.name for value in body.output}) - own
    return found - {""}
