"""Bring a model into one form before fixes see it, and mend what the round trip breaks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.model.names import make_unique
from trtbuild.model.nodes import iterate_subgraphs

if TYPE_CHECKING:
    import onnx

__all__ = [
    "drop_repeated",
    "hoist_constants",
    "lower_constants",
    "name_nodes",
    "refuse_unknown",
]


def lower_constants(graph: onnx.GraphProto) -> None:
    """Turn Constant nodes into initializers; the one kind of constant that is left.

    ONNX-GraphSurgeon would read `value_float` as float64, and cannot write an empty list.
    """
    # Inner graphs first: replacing a graph's nodes copies them, with the graphs inside.
    for each in reversed([graph, *iterate_subgraphs(graph)]):
        outputs = {value.name for value in each.output}
        kept = []
        for node in each.node:
            tensor = _constant(node) if node.op_type == "Constant" and node.attribute else None
            if tensor is None or node.output[0] in outputs:
                kept.append(node)
                continue
            tensor.name = node.output[0]
            each.initializer.append(tensor)
        if len(kept) < len(each.node):
            _replace(each.node, kept)


def _constant(node: onnx.NodeProto) -> onnx.TensorProto | None:
    import numpy as np
    from onnx import numpy_helper

    attribute = node.attribute[0]
    match attribute.name:
        case "value":
            return type(attribute.t).FromString(attribute.t.SerializeToString())
        case "value_float":
            return numpy_helper.from_array(np.array(attribute.f, np.float32))
        case "value_floats":
            return numpy_helper.from_array(np.array(attribute.floats, np.float32))
        case "value_int":
            return numpy_helper.from_array(np.array(attribute.i, np.int64))
        case "value_ints":
            return numpy_helper.from_array(np.array(attribute.ints, np.int64))
        case _:
            return None  # text, or sparse


def drop_repeated(graph: onnx.GraphProto) -> None:
    """Drop what a graph notes of its inputs and outputs once more, among the tensors inside.

    ONNX-GraphSurgeon would believe that, and forget the shape that the graph declares.
    """
    for each in (graph, *iterate_subgraphs(graph)):
        ends = {value.name for value in (*each.input, *each.output)}
        kept = [value for value in each.value_info if value.name not in ends]
        if len(kept) < len(each.value_info):
            _replace(each.value_info, kept)


def refuse_unknown(graph: onnx.GraphProto) -> None:
    """Refuse what ONNX-GraphSurgeon would drop, or cannot write again.

    Raises:
        StepInputError: naming the node and the attribute.
    """
    import onnx

    for value in (*graph.input, *graph.output):
        kind = value.type.WhichOneof("value")
        inner = value.type.sequence_type.elem_type.WhichOneof("value")
        if kind not in {"tensor_type", "sequence_type"} or inner == "map_type":
            hint = "export the model without optional inputs and outputs"
            if "map_type" in (kind, inner):
                hint = "export it as arrays (skl2onnx: `options={'zipmap': False}`)"
            raise StepInputError(
                f"`{value.name}` is no tensor; only tensors can go in or out of an engine",
                hint=hint,
            )
    kinds = onnx.AttributeProto
    carried = {kinds.FLOAT, kinds.INT, kinds.STRING, kinds.TENSOR, kinds.GRAPH}
    lists = {kinds.FLOATS: "floats", kinds.INTS: "ints", kinds.STRINGS: "strings"}
    for each in (graph, *iterate_subgraphs(graph)):
        for node in each.node:
            for attribute in node.attribute:
                field = lists.get(attribute.type, "")
                if attribute.type in carried or (field and len(getattr(attribute, field))):
                    continue
                what = "an empty list" if field else kinds.AttributeType.Name(attribute.type)
                raise StepInputError(
                    f"node `{node.name}` ({node.op_type}): its attribute `{attribute.name}` is "
                    f"{what}, which ONNX-GraphSurgeon cannot carry",
                    hint="export the model at another opset",
                )


def name_nodes(graph: onnx.GraphProto) -> None:
    """Give every node a name of its own; a node without one is named after what it makes."""
    taken: set[str] = set()
    for each in (graph, *iterate_subgraphs(graph)):
        for node in each.node:
            made = next((name for name in node.output if name), "")
            node.name = make_unique(node.name or f"{node.op_type}_{made}".rstrip("_"), taken)
            taken.add(node.name)


def hoist_constants(graph: onnx.GraphProto, outer: set[str]) -> None:
    """Move constants of the main graph back out of the subgraphs that read them.

    ONNX-GraphSurgeon writes them into each subgraph; `outer` names the tensors of the main graph.
    """
    here = {tensor.name for tensor in graph.initializer}
    for each in iterate_subgraphs(graph):
        made = {name for node in each.node for name in node.output}
        moved = [tensor for tensor in each.initializer if tensor.name in outer]
        kept = [tensor for tensor in each.initializer if tensor.name not in outer]
        for tensor in moved:
            if tensor.name not in here:
                here.add(tensor.name)
                graph.initializer.append(tensor)
        noted = [value for value in each.value_info if value.name in made]
        if moved:
            _replace(each.initializer, kept)
        if len(noted) < len(each.value_info):
            _replace(each.value_info, noted)


def _replace(field: Any, kept: Iterable[Any]) -> None:
    """Keep some messages of a repeated field; they must be copied before it is cleared."""
    copies = [type(each).FromString(each.SerializeToString()) for each in kept]
    del field[:]
    field.extend(copies)
