"""Name what PyTorch exported after the user's modules: `/layer4/0/conv1/Conv`.

The exporter's own names (`getitem_3`, `node_Conv_755`) tell nobody anything and move with every
edit, while recipes refer to layers by patterns such as `*/layer4/*`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from trtbuild.model.nodes import WEIGHTED, iterate_bodies

if TYPE_CHECKING:
    import onnx

__all__ = ["name_after_modules", "strip_remarks"]

SCOPES = "pkg.torch.onnx.name_scopes"
BIAS = 2  # which input it is


def name_after_modules(
    model: onnx.ModelProto, parameters: Iterable[str], ends: Mapping[str, str] | None = None
) -> None:
    """Rename the nodes of an exported model, what they make, and constants without a name.

    A node is called `/<module path>/<operator>`, what it makes `<node>_output_<i>`. Graph inputs
    and outputs have the names that they are given, or keep theirs, and so do the module's
    parameters; what would be called like one of the former steps aside.

    Args:
        model: as `torch.onnx.export(dynamo=True)` made it, metadata included.
        parameters: names of the module's state dict.
        ends: new names of graph inputs and outputs, by old ones. The exporter, given them, would
            write them over others: two tensors of one name, which may be a valid model.
    """
    graph = model.graph
    known = {value.name: value.name for value in (*graph.input, *graph.output)} | dict(ends or {})
    _Namer(set(parameters), set(known.values())).graph(graph, known)


def strip_remarks(model: onnx.ModelProto) -> None:
    """Remove what differs between machines and is no part of the model: stack traces, paths."""
    model.producer_version = ""  # `+cpu` and `+cu130` export the same model
    _strip(model)


class _Namer:
    def __init__(self, parameters: set[str], taken: set[str]) -> None:
        self._parameters = parameters
        self._taken = taken

    def graph(self, graph: onnx.GraphProto, known: dict[str, str]) -> None:
        """Rename within a graph; `known` maps old names to new ones, of outer graphs too."""
        for tensor in graph.initializer:
            if tensor.name in self._parameters and tensor.name not in known:
                known[tensor.name] = self._unique(tensor.name)
        for node in graph.node:
            node.name = self._unique(f"{self._scope(node)}/{node.op_type}")
            for index, old in enumerate(node.output):
                if old and old not in known:
                    known[old] = self._unique(f"{node.name}_output_{index}")
        self._constants(graph, known)
        _apply(graph, known)
        for node in graph.node:
            for inner in iterate_bodies(node):
                own = {value.name: self._unique(value.name) for value in inner.input}
                self.graph(inner, {**known, **own})

    def _constants(self, graph: onnx.GraphProto, known: dict[str, str]) -> None:
        readers = _first_readers(graph)
        for tensor in graph.initializer:
            if tensor.name not in known:
                node, index = readers.get(tensor.name, (None, 0))
                name = self._constant(node, index) if node else tensor.name
                known[tensor.name] = self._unique(name)

    def _scope(self, node: onnx.NodeProto) -> str:
        """Say which module a node belongs to.

        The exporter folds a BatchNormalization into the convolution before it and says the
        result is the normalization's; the weight still knows whose it is.
        """
        if node.op_type in WEIGHTED:
            for name in node.input[1:2]:
                if name in self._parameters:
                    return _path(name.rpartition(".")[0])
        scopes = next((entry.value for entry in node.metadata_props if entry.key == SCOPES), "[]")
        modules = [scope for scope in ast.literal_eval(scopes)[:-1] if not scope.startswith("_em")]
        return _path(modules[-1] if modules else "")

    def _constant(self, node: onnx.NodeProto, index: int) -> str:
        weight = node.input[1] if node.op_type in WEIGHTED else ""
        if weight in self._parameters and weight.endswith(".weight") and index == BIAS:
            return weight.removesuffix("weight") + "bias"
        return f"{node.name}_input_{index}"

    def _unique(self, name: str) -> str:
        found, count = name, 0
        while found in self._taken:
            count += 1
            found = f"{name}_{count}"
        self._taken.add(found)
        return found


def _path(module: str) -> str:
    return "/" + module.replace(".", "/") if module else ""


def _first_readers(graph: onnx.GraphProto) -> dict[str, tuple[onnx.NodeProto, int]]:
    readers: dict[str, tuple[onnx.NodeProto, int]] = {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            readers.setdefault(name, (node, index))
    return readers


def _apply(graph: onnx.GraphProto, known: dict[str, str]) -> None:
    for node in graph.node:
        node.input[:] = [known.get(name, name) for name in node.input]
        node.output[:] = [known.get(name, name) for name in node.output]
    for value in (*graph.initializer, *graph.value_info, *graph.input, *graph.output):
        value.name = known.get(value.name, value.name)


def _strip(message: Any) -> None:
    """Clear doc strings and metadata of a message and of all that is in it."""
    for field in ("doc_string", "metadata_props"):
        if field in message.DESCRIPTOR.fields_by_name:
            message.ClearField(field)
    if message.DESCRIPTOR.name == "TensorProto":
        return  # the rest is data
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in [value] if hasattr(value, "DESCRIPTOR") else value:
                _strip(inner)
