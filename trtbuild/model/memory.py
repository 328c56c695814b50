"""Refuse a model with a tensor that no run on this machine could hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import count_machine_bytes
from trtbuild.model.nodes import iterate_subgraphs, name_of

if TYPE_CHECKING:
    import onnx

__all__ = ["refuse_vast"]

_GIB = 1 << 30


def refuse_vast(model: onnx.ModelProto) -> None:
    """Refuse a model, shapes inferred, of which one tensor is larger than the machine's memory.

    ONNX Runtime would begin to fill it, be it only a Range of constants, and take the machine's
    other work with it.

    Raises:
        StepInputError: names the node, the tensor and its size.
    """
    import onnx

    most = count_machine_bytes()
    for graph in (model.graph, *iterate_subgraphs(model.graph)):
        makers = {name: node for node in graph.node for name in node.output}
        for value in (*graph.value_info, *graph.output):
            tensor = value.type.tensor_type
            dims = [dim.dim_value for dim in tensor.shape.dim if dim.HasField("dim_value")]
            node = makers.get(value.name)
            if node is None or len(dims) != len(tensor.shape.dim):
                continue
            known = tensor.elem_type in onnx.helper.get_all_tensor_dtypes()
            dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type) if known else None
            size = math.prod(dims) * (dtype.itemsize if dtype is not None else 1)
            if size > most:
                raise StepInputError(
                    f"node `{name_of(node)}` ({node.op_type}) makes `{value.name}` {dims}: "
                    f"{size / _GIB:.0f} GiB, and the machine has {most / _GIB:.0f} GiB",
                    hint="is a size in the model wrong? else run it where there is more memory",
                )
