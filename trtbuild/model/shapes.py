"""Infer the shapes of a graph anew, and know which of its dimensions have a name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import quote_whole
from trtbuild.model.nodes import iterate_subgraphs
from trtbuild.model.shape_data import may_follow
from trtbuild.model.weights_file import SMALL_BYTES, measure_tensor

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

__all__ = [
    "Dimension",
    "complete_outputs",
    "complete_shapes",
    "forget_unknown",
    "infer_at",
    "infer_shapes",
    "infer_shapes_anew",
    "is_named",
    "merge_shapes",
]

Dimension = int | str | None
"""A size, a name, or None where nothing is known."""
_SIZES = (6, 7)
"""TensorProto's INT32 and INT64: what shapes are made of, which inference reads."""


_NO_NAME = r"(?i)unk__.*|[\W\d]*|none|null|unk|unknown|undefined"
"""Inference makes up `unk__0`. Paddle writes `?`, others `-1` or `None`: not known, and not one and
the same wherever it stands."""


def is_named(size: Dimension) -> bool:
    """Tell whether a dimension has a name that somebody gave it."""
    return isinstance(size, str) and not re.fullmatch(_NO_NAME, size)


def forget_unknown(model: onnx.ModelProto) -> None:
    """Leave dimensions open that a model calls -1 or `?`: each is unknown for itself.

    So is 0 where an input has it: MXNet and others write that, and nobody feeds a model nothing.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    fed = [value for value in model.graph.input if value.name not in constants]
    least = 1 if any(0 in _list_sizes(value) for value in fed) else 0
    for graph in (model.graph, *iterate_subgraphs(model.graph)):
        for value in (*graph.input, *graph.output, *graph.value_info):
            held = value.name in constants  # an empty one is no dimension that is not known
            for dim in value.type.tensor_type.shape.dim:
                if dim.HasField("dim_value") and dim.dim_value < (0 if held else least):
                    dim.ClearField("dim_value")
                elif dim.HasField("dim_param") and not is_named(dim.dim_param):
                    dim.ClearField("dim_param")


def _list_sizes(value: onnx.ValueInfoProto) -> list[int | None]:
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]


def complete_outputs(model: onnx.ModelProto) -> list[str]:
    """Give outputs that say no shape, or no type, what inference finds; return which got one.

    What it does not reach, or where it fails, stays: whoever checks the model says so.
    """
    lacking = [value for value in model.graph.output if not _is_whole(value)]
    if not lacking:
        return []
    weights = _take_weights(model)
    try:
        made = _infer(model, strict=False)
    except StepInputError:
        return []
    finally:
        _put_weights(model, weights)
    found = {value.name: value for value in made.graph.output if _is_whole(value)}
    done = [value for value in lacking if value.name in found]
    for value in done:
        value.type.CopyFrom(found[value.name].type)
    return [value.name for value in done]


def _is_whole(value: onnx.ValueInfoProto) -> bool:
    tensor = value.type.tensor_type
    other = value.type.HasField("sequence_type") or value.type.HasField("optional_type")
    return bool(other or (tensor.elem_type != 0 and tensor.HasField("shape")))


def infer_shapes(model: onnx.ModelProto, *, strict: bool) -> onnx.ModelProto:
    """Return the model with the shapes of its tensors filled in; what is unknown has no name.

    The model that is given is used up, unless this fails.

    Raises:
        StepInputError: strict, and an operator's inputs do not fit together.
    """
    weights = _take_weights(model)
    try:
        made = _infer(model, strict=strict)
    except StepInputError:
        _put_weights(model, weights)
        raise
    _put_weights(made, weights)
    return made


def _take_weights(model: onnx.ModelProto) -> dict[int, bytes]:
    """Take the bytes of large weights out of a model: inference would copy them thrice, unread."""
    taken = {}
    for index, tensor in enumerate(model.graph.initializer):
        large = measure_tensor(tensor) > SMALL_BYTES and tensor.data_type not in _SIZES
        if large and tensor.HasField("raw_data"):
            taken[index] = tensor.raw_data
            tensor.ClearField("raw_data")
    return taken


def _put_weights(model: onnx.ModelProto, weights: Mapping[int, bytes]) -> None:
    for index, data in weights.items():
        model.graph.initializer[index].raw_data = data


def _infer(model: onnx.ModelProto, *, strict: bool) -> onnx.ModelProto:
    from onnx import shape_inference

    try:
        follow = may_follow(model)
        made = shape_inference.infer_shapes(model, strict_mode=strict, data_prop=follow)
    except (shape_inference.InferenceError, ValueError, RuntimeError) as error:
        raise StepInputError(
            f"shapes do not fit together: {quote_whole(str(error))}",
            hint="is the model valid? ONNX Runtime would refuse it too",
        ) from error
    for value in (*made.graph.value_info, *made.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.HasField("dim_param") and not is_named(dim.dim_param):
                dim.Clear()
    return made


def _infer_alone(model: onnx.ModelProto, *, strict: bool) -> onnx.ModelProto:
    """Infer as `infer_shapes` does, and leave the large weights out of what is returned."""
    _take_weights(model)
    return _infer(model, strict=strict)


def infer_shapes_anew(graph: gs.Graph, *, moved: bool) -> dict[str, list[Dimension] | None]:
    """Forget every shape but those of the inputs, and infer them again, in place.

    What inference does not reach (a plugin's result, a Reshape to what is computed) keeps what it
    declares: its names and its rank, and its sizes unless some size has `moved`.

    Returns:
        What inference found for each graph output (nothing is written there).

    Raises:
        StepInputError: an operator's inputs do not fit together.
    """
    import onnx_graphsurgeon as gs

    declared = [output.shape for output in graph.outputs]
    inner = [tensor for node in graph.nodes for tensor in node.outputs]
    before = [tensor.shape for tensor in inner]
    for each in (graph, *graph.subgraphs(recursive=True)):
        for tensor in [tensor for node in each.nodes for tensor in node.outputs]:
            tensor.shape = None
    model = _infer_alone(gs.export_onnx(graph), strict=True)
    found = {value.name: _shape(value) for value in (*model.graph.value_info, *model.graph.output)}
    for tensor, shape in zip(inner, before, strict=True):
        tensor.shape = merge_shapes(shape, found.get(tensor.name), moved=moved)
    for output, shape in zip(graph.outputs, declared, strict=True):
        output.shape = shape
    return {output.name: found.get(output.name) for output in graph.outputs}


def infer_at(
    graph: gs.Graph, sizes: Mapping[str, Sequence[Dimension]], *, strict: bool = False
) -> dict[str, list[Dimension] | None]:
    """Return the shapes that tensors have where the inputs have these; the graph stays as it is.

    Raises:
        StepInputError: strict, and an operator's inputs do not fit together.
    """
    import onnx
    import onnx_graphsurgeon as gs

    model = gs.export_onnx(graph)
    for each in (model.graph, *iterate_subgraphs(model.graph)):
        del each.value_info[:]
        for value in each.output:
            value.type.tensor_type.ClearField("shape")
    for value in model.graph.input:
        if value.name in sizes:
            kind = value.type.tensor_type.elem_type
            made = onnx.helper.make_tensor_value_info(value.name, kind, list(sizes[value.name]))
            value.CopyFrom(made)
    made = _infer_alone(model, strict=strict)
    every = (*made.graph.input, *made.graph.value_info, *made.graph.output)
    return {value.name: _shape(value) for value in every}


def merge_shapes(
    declared: list[Dimension] | None, found: list[Dimension] | None, *, moved: bool
) -> list[Dimension] | None:
    """Join what a tensor declares with what was inferred; a moved size voids declared numbers."""
    if declared is None or (found is not None and len(found) != len(declared)):
        return found
    kept = [
        size if is_named(size) or (isinstance(size, int) and not moved) else None
        for size in declared
    ]
    return [new if new is not None else old for old, new in zip(kept, found or kept, strict=True)]


def complete_shapes(graph: gs.Graph) -> None:
    """Infer what is not known yet, in place; what is known stays."""
    import onnx_graphsurgeon as gs

    model = _infer_alone(gs.export_onnx(graph), strict=False)
    found = {value.name: _shape(value) for value in model.graph.value_info}
    for tensor in [tensor for node in graph.nodes for tensor in node.outputs]:
        shape = found.get(tensor.name)
        if shape is not None and isinstance(tensor, gs.Variable):
            known = tensor.shape or [None] * len(shape)
            tensor.shape = [
                old if isinstance(old, int) or is_named(old) else new
                for old, new in zip(known, shape, strict=True)
            ]


def _shape(value: onnx.ValueInfoProto) -> list[Dimension] | None:
    if not value.type.tensor_type.HasField("shape"):
        return None
    sizes: list[Dimension] = []
    for dim in value.type.tensor_type.shape.dim:
        known = dim.dim_value if dim.HasField("dim_value") else dim.dim_param
        sizes.append(known if isinstance(known, int) or is_named(known) else None)
    return sizes
