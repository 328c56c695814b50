"""Find the inputs whose values decide shapes: TensorRT builds for a range of those values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trtbuild.model.nodes import name_of

if TYPE_CHECKING:
    import onnx

__all__ = ["find_shape_inputs"]

_SIZES = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "Pad": (1, 3),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Resize": (3,),
    "Slice": (1, 2, 3, 4),
    "Tile": (1,),
    "TopK": (1,),
}
"""Operand numbers that a result's size follows from."""
_COMPUTED = frozenset(
    {"Abs", "Add", "Cast", "Ceil", "Concat", "Div", "Floor", "Gather", "Identity", "Max", "Min"}
    | {"Mod", "Mul", "Neg", "ReduceProd", "Reshape", "Slice", "Split", "Squeeze", "Sub"}
    | {"Unsqueeze"}
)
"""What is computed of sizes before an engine runs a layer; other operators make data of them."""
_MOST_RANK = 1


def find_shape_inputs(model: onnx.ModelProto) -> dict[str, str]:
    """Return the inputs of at most one axis whose values decide a size, each with a node's name.

    Not through operators that are no arithmetic of sizes, nor within subgraphs.
    """
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer}
    inputs = {
        value.name
        for value in graph.input
        if value.name not in stored and len(value.type.tensor_type.shape.dim) <= _MOST_RANK
    }
    makers = {name: node for node in graph.node for name in node.output}
    found: dict[str, str] = {}
    for node in graph.node:
        places = _SIZES.get(node.op_type, ()) if node.domain in ("", "ai.onnx") else ()
        operands = [node.input[place] for place in places if place < len(node.input)]
        for name in _sources(operands, makers):
            if name in inputs:
                found.setdefault(name, f"{name_of(node)} ({node.op_type})")
    return found


def _sources(operands: list[str], makers: dict[str, onnx.NodeProto]) -> Iterator[str]:
    waiting, seen = [name for name in operands if name], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        node = makers.get(name)
        if node is None:
            yield name
        elif node.op_type in _COMPUTED:
            waiting += [each for each in node.input if each]
