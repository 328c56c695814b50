"""A model whose quantized layers stand beside it: one run tells what each makes of its input."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.model.opset import raise_opset

if TYPE_CHECKING:
    import onnx

__all__ = ["ReaderLayer", "ReaderTrial"]

_HANDING_ON = frozenset({"QuantizeLinear", "DequantizeLinear", "MaxPool", "Reshape", "Transpose"})
_MARK = "/read"


class ReaderLayer(NamedTuple):
    """A layer that reads a quantized tensor, and the outputs that tell what it makes of it."""

    tensor: str
    error: str
    """The sum of the squares of what its output is off by."""
    signal: str
    """The sum of the squares of its output."""


class ReaderTrial:
    """The model as it is, and of each layer that reads a quantized tensor one more: in INT8.

    That layer's weights are quantized, and of what it reads that tensor alone, as the model makes
    it: its error is that of one scale. The scales are inputs, as in a `QuantizedTrial`.
    """

    def __init__(
        self, model: onnx.ModelProto, quantized: onnx.ModelProto, tensors: Iterable[str]
    ) -> None:
        """Take a model, which is used up, and what a `Trial` has made of it."""
        self.model, _ = raise_opset(model)
        self._graph = self.model.graph
        self._quantized = quantized.graph
        self._makers = {name: node for node in self._quantized.node for name in node.output}
        self._own = {node.output[0]: node for node in self._graph.node if node.output}
        self._constants = {each.name: each for each in self._quantized.initializer}
        self._known = {name for node in self._graph.node for name in node.output}
        for each in (self._graph.initializer, self._graph.input):
            self._known.update(one.name for one in each)
        for spec in self._quantized.input:
            if spec.name not in self._known:
                self._graph.input.append(spec)
                self._known.add(spec.name)
        self.readings = tuple(self._add_readings(set(tensors)))

    def _add_readings(self, tensors: set[str]) -> Iterator[ReaderLayer]:
        del self._graph.output[:]
        for node in self._quantized.node:
            own = self._own.get(node.output[0]) if node.output else None
            if own is None or node.op_type in _HANDING_ON or own.op_type != node.op_type:
                continue
            for slot, name in enumerate(node.input):
                if (tensor := self._find_tensor(name)) in tensors:
                    yield self._add_reading(tensor, node, own, slot, tensors)

    def _find_tensor(self, name: str) -> str:
        """Name the tensor that a pair makes a value of; nothing where none does."""
        made = self._makers.get(name)
        if made is None or made.op_type != "DequantizeLinear":
            return ""
        maker = self._makers.get(made.input[0])
        return "" if maker is None or maker.op_type != "QuantizeLinear" else str(maker.input[0])

    def _add_reading(
        self,
        tensor: str,
        node: onnx.NodeProto,
        own: onnx.NodeProto,
        slot: int,
        tensors: set[str],
    ) -> ReaderLayer:
        import onnx

        reader = copy.deepcopy(node)
        made = f"{own.output[0]}{_MARK}{slot}"
        reader.name, reader.output[:] = made, [made, *[""] * (len(node.output) - 1)]
        for place, name in enumerate(node.input):
            if place != slot and self._find_tensor(name) in tensors:
                reader.input[place] = own.input[place]
            else:
                self._bring(name)
        found = ReaderLayer(tensor, f"{made}/error", f"{made}/signal")
        make = onnx.helper.make_node
        self._graph.node.extend(
            [
                reader,
                make("Sub", [made, own.output[0]], [f"{made}/off"]),
                make("ReduceSumSquare", [f"{made}/off"], [found.error], keepdims=0),
                make("ReduceSumSquare", [own.output[0]], [found.signal], keepdims=0),
            ]
        )
        for name in (found.error, found.signal):
            self._graph.output.append(onnx.ValueInfoProto(name=name))
        return found

    def _bring(self, name: str) -> None:
        """Add what makes a value of the quantized model, as far as it is not there."""
        if not name or name in self._known:
            return
        self._known.add(name)
        if name in self._constants:
            self._graph.initializer.append(self._constants[name])
            return
        node = self._makers[name]
        for each in node.input:
            self._bring(each)
        self._graph.node.append(node)
        self._known.update(node.output)
