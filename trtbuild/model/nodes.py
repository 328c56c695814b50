"""What every box asks of an ONNX node: name, bodies, whether INT8 is for it or it draws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

__all__ = [
    "RANDOM",
    "WEIGHTED",
    "iterate_bodies",
    "iterate_constants",
    "iterate_nodes",
    "iterate_subgraphs",
    "name_of",
]

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""The operators that INT8 is for: they multiply by weights, or two activations."""
RANDOM = frozenset(
    {
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)
"""The operators that draw their results: no constants, whatever they read."""


def name_of(node: onnx.NodeProto) -> str:
    """Return a node's name; a nameless node is called after its first output."""
    return str(node.name or next((name for name in node.output if name), node.op_type))


def iterate_bodies(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the bodies of a node (`If`, `Loop`, `Scan`), not those within them."""
    for attribute in node.attribute:
        # An attribute that holds no graph reads as an empty one.
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def iterate_subgraphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """Yield the graphs inside a graph's nodes, outer ones first."""
    for node in graph.node:
        for inner in iterate_bodies(node):
            yield inner
            yield from iterate_subgraphs(inner)


def iterate_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Yield nodes, then those in their bodies, however deep."""
    nodes = list(nodes)
    yield from nodes
    for node in nodes:
        for body in iterate_bodies(node):
            yield from iterate_nodes(body.node)


def iterate_constants(
    nodes: Iterable[onnx.NodeProto],
) -> Iterator[tuple[str, onnx.AttributeProto]]:
    """Yield what each Constant node makes, and the attribute that holds its value."""
    for node in nodes:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                yield node.output[0], attribute
