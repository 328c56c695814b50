"""What a recipe may refer to in a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import NodeSpec, Signature, TensorSpec
from trtbuild.model.shape_inputs import find_shape_inputs
from trtbuild.model.shapes import is_named

if TYPE_CHECKING:
    import onnx

__all__ = ["describe_tensor", "list_inputs", "read_signature"]


def read_signature(model: onnx.ModelProto) -> Signature:
    """Describe a model: inputs that must be fed, outputs, activations and nodes, in graph order.

    A dimension that the model leaves without a name is called `<tensor>_dim_<axis>`.

    Raises:
        StepInputError: an input or output is no tensor, or its rank is not known.
    """
    graph = model.graph
    inputs = list_inputs(graph)
    for value in (*inputs, *graph.output):
        _refuse_unknown_rank(value)
    made = [name for node in graph.node for name in node.output if name]
    return Signature(
        inputs=tuple(map(describe_tensor, inputs)),
        outputs=tuple(map(describe_tensor, graph.output)),
        tensors=tuple([value.name for value in inputs] + made),
        nodes=tuple(NodeSpec(name=node.name, op=node.op_type) for node in graph.node),
        shape_inputs=find_shape_inputs(model),
    )


def list_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that must be fed: those without a default value."""
    constants = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in constants]


def describe_tensor(value: onnx.ValueInfoProto, *, unnamed: str | None = None) -> TensorSpec:
    """Describe an input or output; `unnamed` is what a dimension without a name is called.

    That is `<tensor>_dim_<axis>` unless told otherwise. An unknown type is `?`.
    """
    import onnx

    tensor = value.type.tensor_type
    shape = tuple(
        dim.dim_value
        if dim.HasField("dim_value")
        else dim.dim_param
        if is_named(dim.dim_param)
        else unnamed or f"{value.name}_dim_{axis}"
        for axis, dim in enumerate(tensor.shape.dim)
    )
    known = tensor.elem_type in onnx.helper.get_all_tensor_dtypes()
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name if known else "?"
    return TensorSpec(name=value.name, dtype=dtype, shape=shape)


def _refuse_unknown_rank(value: onnx.ValueInfoProto) -> None:
    import onnx

    tensor = value.type.tensor_type
    known = onnx.helper.get_all_tensor_dtypes()
    if not tensor.HasField("shape") or tensor.elem_type not in known:
        raise StepInputError(
            f"`{value.name}` has no shape: only tensors whose rank is known can go in or out",
            hint="export the model with shapes for its inputs and outputs",
        )
