"""What a model asks of its nodes by Q/DQ pairs, and where floats stand between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import INT8, TYPES, find_type_of_onnx
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
    """Weighted nodes: the type that both operands come from (`int8`, `fp8`), else `float`."""
    between: frozenset[str] = frozenset()
    """Nodes that take what was quantized, through floats at most, and give what becomes so."""
    types: tuple[str, ...] = ()
    """All that are asked of any node."""


def read_asked(path: Path) -> AskedLayers:
    """Read a model's Q/DQ pairs; of one that has none, nothing is asked.

    Raises:
        StepInputError: it is no ONNX model.
    """
    view = GraphView(load_bare(path))
    if not any(node.op_type in _LINEAR for node in view.nodes):
        return AskedLayers()
    precision = {
        name: _join_types([_find_type(view, node.input[slot]) for slot in (0, 1)])
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
    types = dict.fromkeys(each for each in precision.values() if each in TYPES)
    return AskedLayers(precision, between, tuple(types))


def _list_names(node: onnx.NodeProto) -> tuple[str, ...]:
    return (name_of(node), *node.output)


def _find_type(view: GraphView, tensor: str) -> str:
    """Return the quantized type that a tensor's values come from, moved at most."""
    while (index := view.producers.get(tensor)) is not None:
        node = view.nodes[index]
        if node.op_type == "DequantizeLinear":
            known = find_type_of_onnx(view.dtype(node.input[0]))
            return known.name if known else INT8.name
        if not passes(view, index, 0):
            return ""
        tensor = node.input[0]
    return ""


def _join_types(operands: Sequence[str]) -> str:
    found = set(filter(None, operands))
    (kind,) = found if len(found) == 1 else ("",)
    return kind if kind and (all(operands) or TYPES[kind].weights_only) else "float"


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
