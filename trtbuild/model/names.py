"""NameGenerator: new names that collide with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trtbuild.model.nodes import iterate_bodies

if TYPE_CHECKING:
    import onnx

__all__ = ["NameGenerator"]


class NameGenerator:
    """Hands out names that neither a node nor a tensor of the model has."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._taken = set(_names_in(graph))

    def fresh(self, wanted: str) -> str:
        """Return `wanted`, or `wanted_1`, `wanted_2`, ... where that is taken."""
        name, count = wanted, 0
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name


def _names_in(graph: onnx.GraphProto) -> Iterator[str]:
    for values in (graph.input, graph.output, graph.initializer):
        yield from (value.name for value in values)
    for node in graph.node:
        yield node.name
        yield from node.input
        yield from node.output
        for body in iterate_bodies(node):
            yield from _names_in(body)
