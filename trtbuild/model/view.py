"""GraphView: a graph's nodes, readers, constants and types, indexed once and only read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from trtbuild.model.folding import FOLDED
from trtbuild.model.nodes import iterate_bodies, iterate_constants
from trtbuild.model.opset import read_opset
from trtbuild.model.plugins import find_behind
from trtbuild.model.weights_file import copy_without_weights

if TYPE_CHECKING:
    import onnx

__all__ = [
    "GraphView",
    "Site",
    "iterate_names_read_in_bodies",
    "read_ints",
]

Dims = tuple[int | None, ...]

Site = tuple[int, int]
"""(node's place in the graph, input slot): one operand of one node."""


class GraphView:
    """An index over a model's top graph; subgraphs are seen only as readers of outer names."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.nodes: list[onnx.NodeProto] = list(graph.node)
        self.outputs = [output.name for output in graph.output]
        self.fed = {value.name for value in graph.input} - {each.name for each in graph.initializer}
        """The inputs that are no constants."""
        self.producers: dict[str, int] = {
            name: index for index, node in enumerate(self.nodes) for name in node.output if name
        }
        self.readers: dict[str, list[tuple[int, int]]] = {}
        """Tensor → (node index, input index), in graph order."""
        for index, node in enumerate(self.nodes):
            for slot, name in enumerate(node.input):
                self.readers.setdefault(name, []).append((index, slot))
        self.captured = frozenset(
            name for node in self.nodes for name in iterate_names_read_in_bodies(node)
        )
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._constants |= {
            name: value.t for name, value in iterate_constants(self.nodes) if value.name == "value"
        }
        self._folded: set[str] = set()
        for node in self.nodes:
            if node.op_type in FOLDED and all(map(self.is_constant, filter(None, node.input))):
                self._folded |= set(node.output)
        self.activations = [
            name
            for name in (*(value.name for value in graph.input), *self.producers)
            if name not in self._constants
        ]
        """Graph inputs and node outputs, in graph order."""
        self.opset = read_opset(model)
        self._model = model

    def producer(self, tensor: str) -> onnx.NodeProto | None:
        """Return the node that makes a tensor; None for a graph input or an initializer."""
        index = self.producers.get(tensor)
        return None if index is None else self.nodes[index]

    def held(self, tensor: str) -> onnx.TensorProto | None:
        """Return an initializer's or a Constant node's value; None for anything else."""
        return self._constants.get(tensor)

    def is_constant(self, tensor: str) -> bool:
        """Tell whether a tensor is a constant, or what FOLDED operators make of constants."""
        return tensor in self._constants or tensor in self._folded

    def root(self, tensor: str) -> str:
        """Return the tensor that a chain of `Identity` copies."""
        node = self.producer(tensor)
        while node is not None and node.op_type == "Identity":
            tensor = node.input[0]
            node = self.producer(tensor)
        return tensor

    def is_read(self, tensor: str, *, times: int) -> bool:
        """Tell whether nodes of the top graph read a tensor so often, and nothing else does."""
        elsewhere = tensor in self.outputs or tensor in self.captured
        return len(self.readers.get(tensor, ())) == times and not elsewhere

    def dtype(self, tensor: str) -> str | None:
        """Return a tensor's type in ONNX's word (`float`, `int64`); None where it is not known."""
        import onnx

        found = self._inferred[0].get(tensor)
        if found is None or found not in onnx.TensorProto.DataType.values():
            return None
        name: str = onnx.TensorProto.DataType.Name(found)
        return name.lower()

    @property
    def typed(self) -> Iterable[str]:
        """The tensors whose type is known."""
        return self._inferred[0]

    def dims(self, tensor: str) -> Dims | None:
        """Return a tensor's dimensions (None for one not known); None where the rank is not."""
        return self._inferred[1].get(tensor)

    @cached_property
    def behind(self) -> dict[int, str]:
        """Plugins and what stands behind them, by place, each with a plugin's words."""
        return find_behind(self.nodes)

    @cached_property
    def _inferred(self) -> tuple[dict[str, int], dict[str, Dims]]:
        return _infer(self._model)


def iterate_names_read_in_bodies(node: onnx.NodeProto) -> Iterator[str]:
    """Yield every name that a node's bodies read or return, those within them included."""
    for graph in iterate_bodies(node):
        for inner in graph.node:
            yield from inner.input
            yield from iterate_names_read_in_bodies(inner)
        for output in graph.output:
            yield output.name


def read_ints(node: onnx.NodeProto, attribute: str) -> tuple[int, ...] | None:
    """Return an attribute of integers, or of one integer; None where it is not written."""
    for found in node.attribute:
        if found.name == attribute:
            return tuple(found.ints) or (found.i,)
    return None


def _infer(model: onnx.ModelProto) -> tuple[dict[str, int], dict[str, Dims]]:
    """Infer types and dimensions on a copy without the weights' bytes."""
    import onnx

    graph = copy_without_weights(model)
    inferred = onnx.shape_inference.infer_shapes(graph).graph
    types: dict[str, int] = {}
    dims: dict[str, Dims] = {}
    for info in (*inferred.value_info, *inferred.input, *inferred.output):
        tensor = info.type.tensor_type
        if tensor.elem_type:
            types[info.name] = tensor.elem_type
        if tensor.HasField("shape"):
            dims[info.name] = tuple(
                dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim
            )
    for constant in model.graph.initializer:
        types[constant.name] = constant.data_type
        dims[constant.name] = tuple(constant.dims)
    return types, dims
