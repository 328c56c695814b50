"""NameGenerator: new names that collide with nothing, and one name for each node."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from trtbuild.model.nodes import iterate_bodies, iterate_subgraphs, name_of

if TYPE_CHECKING:
    import onnx

__all__ = ["NameGenerator", "make_unique", "name_nameless", "tell_apart"]


class NameGenerator:
    """Hands out names that neither a node nor a tensor of the model has."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._taken = set(_names_in(graph))

    def fresh(self, wanted: str) -> str:
        """Return `wanted`, or `wanted_1`, `wanted_2`, ... where that is taken."""
        name = make_unique(wanted, self._taken)
        self._taken.add(name)
        return name


def make_unique(wanted: str, taken: Container[str]) -> str:
    """Return `wanted`, or `wanted_1`, `wanted_2`, ... where that is taken."""
    name, count = wanted, 0
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return name


def tell_apart(graph: onnx.GraphProto) -> list[str]:
    """Give nodes of one graph that share a name names of their own; return what was shared."""
    shared = []
    for each in (graph, *iterate_subgraphs(graph)):
        names = {node.name for node in each.node}
        seen = {""}
        for node in each.node:
            if node.name in seen - {""}:
                shared.append(node.name)
                node.name = make_unique(node.name, names)
                names.add(node.name)
            seen.add(node.name)
    return list(dict.fromkeys(shared))


def _names_in(graph: onnx.GraphProto) -> Iterator[str]:
    for values in (graph.input, graph.output, graph.initializer):
        yield from (value.name for value in values)
    for node in graph.node:
        yield node.name
        yield from node.input
        yield from node.output
        for body in iterate_bodies(node):
            yield from _names_in(body)


def name_nameless(graph: onnx.GraphProto) -> None:
    """Name nodes that have no name after their first output, as far as no other node is."""
    for each in (graph, *iterate_subgraphs(graph)):
        names = {node.name for node in each.node}
        for node in each.node:
            if not node.name:
                node.name = make_unique(name_of(node), names)
                names.add(node.name)
