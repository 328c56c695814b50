"""Give inputs and outputs of the model other types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trtbuild.core.options import NonEmpty
from trtbuild.core.values import TensorSpec
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.tensors import Names, refuse_absent

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["CastIo"]

EndType = Literal["float32", "float16", "int8", "uint8", "int32", "int64", "bool"]
_WIDTH = {"bool": 1, "int8": 8, "uint8": 8, "float16": 11, "float32": 24, "int32": 32, "int64": 64}
"""The whole numbers that a type holds, in bits."""


class CastIo(FixKind):
    """Give inputs and outputs of the model other types, by a Cast behind or in front of them.

    `types: {input_ids: int32, logits: float16}`. The tensors inside keep their types; those next to
    the Casts are named after the ends and the type that they have.
    """

    kind: Literal["cast_io"]
    types: Annotated[dict[NonEmpty, EndType], Field(min_length=1)]
    """The new type of each input or output: float32, float16, int8, uint8, int32, int64 or bool."""

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: there is no such input or output.
        """
        import numpy as np

        log = FixLog()
        ends = [*graph.inputs, *graph.outputs]
        for name, dtype in self.types.items():
            tensor = next((each for each in ends if each.name == name), None)
            if tensor is None:
                known = [each.name for each in ends]
                raise refuse_absent(self.kind, name, known, "input or output")
            old = str(np.dtype(tensor.dtype))
            if old == dtype:
                log.remark(f"cast_io: `{name}` is {dtype} already")
                continue
            is_input = any(tensor is each for each in graph.inputs)
            (_cast_input if is_input else _cast_output)(graph, tensor, dtype)
            log.changed(name, f"{old} → {dtype}")
            source, target = (dtype, old) if is_input else (old, dtype)
            if loss := _tell_loss(source, target):
                log.remark(f"cast_io: `{name}` from {source} to {target}: {loss}")
        return log

    def foresee(self, inputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        """Return the inputs with their new types."""
        return tuple(
            each.model_copy(update={"dtype": self.types.get(each.name, each.dtype)})
            for each in inputs
        )


def _tell_loss(source: str, target: str) -> str:
    if target == "bool":
        return "all but 0 becomes true"
    floats = source.startswith("float"), target.startswith("float")
    if floats == (True, False):
        return "what is behind the point is cut off"
    if _WIDTH[target] < _WIDTH[source] or (source == "int8" and target == "uint8"):
        return "numbers that it cannot hold are changed"
    return ""


def _cast_input(graph: gs.Graph, tensor: gs.Variable, dtype: str) -> None:
    import numpy as np
    import onnx_graphsurgeon as gs

    names = Names(graph)
    name, old = tensor.name, np.dtype(tensor.dtype)
    tensor.name = names.fresh(f"{name}_{old}")
    outer = gs.Variable(name, np.dtype(dtype), tensor.shape)
    place = next(i for i, each in enumerate(graph.inputs) if each is tensor)
    graph.inputs[place] = outer
    graph.nodes.insert(0, _cast(names.fresh(f"Cast_{tensor.name}"), outer, tensor))


def _cast_output(graph: gs.Graph, tensor: gs.Variable, dtype: str) -> None:
    import numpy as np
    import onnx_graphsurgeon as gs

    names = Names(graph)
    name = tensor.name
    tensor.name = names.fresh(f"{name}_{np.dtype(tensor.dtype)}")
    outer = gs.Variable(name, np.dtype(dtype), tensor.shape)
    place = next(i for i, each in enumerate(graph.outputs) if each is tensor)
    graph.outputs[place] = outer
    graph.nodes.append(_cast(names.fresh(f"Cast_{name}"), tensor, outer))


def _cast(name: str, source: gs.Tensor, result: gs.Tensor) -> gs.Node:
    import numpy as np
    import onnx
    import onnx_graphsurgeon as gs

    to = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(result.dtype))
    return gs.Node("Cast", name, {"to": to}, [source], [result])
