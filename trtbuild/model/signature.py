"""What a recipe may refer to in a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import NodeSpec, Signature, TensorSpec
from trtbuild.model.shapes import is_named

if TYPE_CHECKING:
    import onnx

__all__ = ["read_signature"]


def read_signature(model: onnx.ModelProto) -> Signature:
    """Describe a model: inputs that must be fed, outputs, activations and nodes, in graph order.

    A dimension that the model leaves without a name is called `<tensor>_dim_<axis>`.

    Raises:
        StepInputError: an input or output is no tensor, or its rank is not known.
    """
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    made = [name for node in graph.node for name in node.output if name]
    return Signature(
        inputs=tuple(_spec(value) for value in inputs),
        outputs=tuple(_spec(value) for value in graph.output),
        tensors=tuple([value.name for value in inputs] + made),
        nodes=tuple(NodeSpec(name=node.name, op=node.op_type) for node in graph.node),
    )


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    import onnx

    tensor = value.type.tensor_type
    known = onnx.helper.get_all_tensor_dtypes()
    if not tensor.HasField("shape") or tensor.elem_type not in known:
        raise StepInputError(
            f"`{value.name}` has no shape: only tensors whose rank is known can go in or out",
            hint="export the model with shapes for its inputs and outputs",
        )
    shape = tuple(
        dim.dim_value
        if dim.HasField("dim_value")
        else dim.dim_param
        if is_named(dim.dim_param)
        else f"{value.name}_dim_{axis}"
        for axis, dim in enumerate(tensor.shape.dim)
    )
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    return TensorSpec(name=value.name, dtype=dtype, shape=shape)
