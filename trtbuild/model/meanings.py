"""Operators that mean something else from some opset on: write what they meant before.

ONNX's converter knows of some of these changes, and passes over others without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.model.names import NameGenerator
from trtbuild.model.nodes import iterate_subgraphs, name_of
from trtbuild.model.weights_file import copy_without_weights, read_values

if TYPE_CHECKING:
    import onnx

__all__ = ["BY_AXIS", "RESHAPED", "RESIZED", "flatten_softmaxes", "keep_resizing"]

BY_AXIS = 13
"""The opset from which Softmax and its like look along one axis; before, from it on to the last."""
RESIZED = 11
"""The opset that gave Resize modes, and others than the ones it had by default."""
RESHAPED = 5
"""The opset from which Reshape takes its shape as an operand."""
SOFTMAXES = frozenset({"Hardmax", "LogSoftmax", "Softmax"})


def flatten_softmaxes(model: onnx.ModelProto) -> None:
    """Write Softmax, LogSoftmax and Hardmax as what means the same before and from opset 13.

    Over the last axis alone they do. Others work on a matrix: what lies before the axis by what
    lies from it on.
    """
    ranks = _ranks(model)
    names = NameGenerator(model.graph)
    for graph in reversed([model.graph, *iterate_subgraphs(model.graph)]):
        nodes = list(graph.node)
        made = [each for node in nodes for each in _flattened(node, ranks, names)]
        if len(made) > len(nodes):
            copies = [type(node).FromString(node.SerializeToString()) for node in made]
            del graph.node[:]
            graph.node.extend(copies)


def _ranks(model: onnx.ModelProto) -> dict[str, int | None]:
    """Return how many axes tensors have; None where tensors of one name do not agree."""
    from onnx import shape_inference

    ranks: dict[str, int | None] = {}
    inferred = shape_inference.infer_shapes(copy_without_weights(model)).graph
    for graph in (inferred, *iterate_subgraphs(inferred)):
        for value in (*graph.input, *graph.value_info, *graph.output):
            if value.type.tensor_type.HasField("shape"):
                rank = len(value.type.tensor_type.shape.dim)
                ranks[value.name] = rank if ranks.get(value.name, rank) == rank else None
    return ranks


def _flattened(
    node: onnx.NodeProto, ranks: Mapping[str, int | None], names: NameGenerator
) -> Iterator[onnx.NodeProto]:
    import onnx

    if node.op_type not in SOFTMAXES or node.domain not in {"", "ai.onnx"}:
        yield node
        return
    axis = next((each.i for each in node.attribute if each.name == "axis"), 1)
    rank = ranks.get(node.input[0])
    if axis == -1 or (rank is not None and axis % max(rank, 1) == rank - 1):
        _set(node, "axis", -1 if rank is None else rank - 1)
        yield node
        return
    node.name = name_of(node)
    source, result = node.input[0], node.output[0]
    sizes, flat, done = (
        names.fresh(f"{result}_{what}") for what in ("sizes", "flat", "flat_result")
    )
    named = {what: names.fresh(f"{node.name}_{what}") for what in ("shape", "flatten", "reshape")}
    yield onnx.helper.make_node("Shape", [source], [sizes], name=named["shape"])
    yield onnx.helper.make_node("Flatten", [source], [flat], name=named["flatten"], axis=axis)
    node.input[0], node.output[0] = flat, done
    _set(node, "axis", 1)
    yield node
    yield onnx.helper.make_node("Reshape", [done, sizes], [result], name=named["reshape"])


def keep_resizing(before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    """Give each Resize of `after` the modes that it, or an Upsample, had before opset 11.

    Raises:
        StepInputError: one grows along an axis and shrinks along another, taking nearest values.
    """
    old = {
        node.output[0]: _nearest_mode(before, node)
        for node in _all(before.graph)
        if node.op_type in {"Resize", "Upsample"} and node.domain in {"", "ai.onnx"}
    }
    for node in _all(after.graph):
        if node.op_type == "Resize" and node.output[0] in old:
            _set(node, "coordinate_transformation_mode", "asymmetric")
            if old[node.output[0]]:
                _set(node, "nearest_mode", old[node.output[0]])


def _nearest_mode(model: onnx.ModelProto, node: onnx.NodeProto) -> str:
    """Return which value is the nearest where opset 10 resizes; nothing for other modes."""
    found = {each.name: each for each in node.attribute}
    if "mode" in found and found["mode"].s != b"nearest":
        return ""
    scales = _scales(model, node, found)
    shrinks, grows = any(scale < 1 for scale in scales), any(scale > 1 for scale in scales)
    if shrinks and grows:
        raise StepInputError(
            f"node `{name_of(node)}` ({node.op_type}) takes nearest values, and grows along one "
            "axis while it shrinks along another: no opset after 10 can say that",
            hint="export the model again with opset 13 or above",
        )
    return "ceil" if shrinks else "floor"


def _scales(
    model: onnx.ModelProto, node: onnx.NodeProto, found: Mapping[str, onnx.AttributeProto]
) -> Iterable[float]:
    """Return the scales of an Upsample or Resize; none where they are not constant."""
    if "scales" in found:
        return tuple(found["scales"].floats)
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    held |= {
        each.output[0]: attribute.t
        for each in _all(model.graph)
        if each.op_type == "Constant"
        for attribute in each.attribute
        if attribute.name == "value"
    }
    scales = held.get(node.input[1]) if len(node.input) > 1 else None
    return () if scales is None else tuple(map(float, read_values(scales).reshape(-1)))


def _all(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for each in (graph, *iterate_subgraphs(graph)):
        yield from each.node


def _set(node: onnx.NodeProto, name: str, value: int | str) -> None:
    import onnx

    for place in reversed(range(len(node.attribute))):
        if node.attribute[place].name == name:
            del node.attribute[place]
    node.attribute.append(onnx.helper.make_attribute(name, value))
