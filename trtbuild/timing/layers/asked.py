"""What a model asks of its nodes: INT8 by Q/DQ pairs, and where floats stand between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.model.nodes import WEIGHTED, name_of
from trtbuild.model.onnx_file import load_bare
from trtbuild.model.view import GraphView
from trtbuild.quant.flow import passes

if TYPE_CHECKING:
    import onnx

__all__ = ["AskedLayers", "read_asked"]

_LINEAR = {"QuantizeLinear", "DequantizeLinear"}


@dataclass(frozen=True)
class AskedLayers:
    """Names of nodes and of what they make, either of which layers are called after."""

    precision: dict[str, str] = field(default_factory=dict)
    """Weighted nodes: `int8` where both operands come from INT8, else `float`."""
    between: frozenset[str] = frozenset()
    """Nodes that take what was INT8, through floats at most, and give what becomes INT8."""


def read_asked(path: Path) -> AskedLayers:
    """Read a model's Q/DQ pairs; of one that has none, nothing is asked.

    Raises:
        StepInputError: it is no ONNX model.
    """
    view = GraphView(load_bare(path))
    if not any(node.op_type in _LINEAR for node in view.nodes):
        return AskedLayers()
    precision = {
        name: "int8" if all(_is_int8(view, node.input[slot]) for slot in (0, 1)) else "float"
        for node in view.nodes
        if node.op_type in WEIGHTED
        for name in _list_names(node)
    }
    before = _spread(view, range(len(view.nodes)), _makers(view), "DequantizeLinear")
    after = _spread(view, reversed(range(len(view.nodes))), _readers(view), "QuantizeLinear")
    between = frozenset(
        name
        for index, node in enumerate(view.nodes)
        if node.op_type not in _LINEAR and index in before and index in after
        for name in _list_names(node)
    )
    return AskedLayers(precision, between)


def _list_names(node: onnx.NodeProto) -> tuple[str, ...]:
    return (name_of(node), *node.output)


def _is_int8(view: GraphView, tensor: str) -> bool:
    while (index := view.producers.get(tensor)) is not None:
        if view.nodes[index].op_type == "DequantizeLinear":
            return True
        if not passes(view, index, 0):
            return False
        tensor = view.nodes[index].input[0]
    return False


def _makers(view: GraphView) -> Callable[[int], list[int]]:
    """Return what finds the nodes that make what a node takes, those of constants left out."""

    def find(index: int) -> list[int]:
        inputs = view.nodes[index].input
        return [
            view.producers[name]
            for name in inputs
            if name in view.producers and not _is_stored(view, name)
        ]

    return find


def _is_stored(view: GraphView, tensor: str) -> bool:
    maker = view.producer(tensor)
    while maker is not None and maker.op_type in _LINEAR:
        tensor = maker.input[0]
        maker = view.producer(tensor)
    return view.is_constant(tensor)


def _readers(view: GraphView) -> Callable[[int], list[int]]:
    def find(index: int) -> list[int]:
        return [at for name in view.nodes[index].output for at, _ in view.readers.get(name, ())]

    return find


def _spread(
    view: GraphView, order: Iterable[int], neighbours: Callable[[int], list[int]], end: str
) -> set[int]:
    """Return the places from which an operator is reached through floats alone."""
    found: set[int] = set()
    for index in order:
        if view.nodes[index].op_type not in _LINEAR and any(
            view.nodes[each].op_type == end or each in found for each in neighbours(index)
        ):
            found.add(index)
    return found
