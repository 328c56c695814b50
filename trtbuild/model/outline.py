"""ModelOutline: an ONNX model read for its nodes, inputs and outputs, without its weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from trtbuild.core.errors import StepInputError
from trtbuild.model.nodes import RANDOM, iterate_constants
from trtbuild.model.onnx_file import load_bare
from trtbuild.model.signature import describe_tensor, list_inputs
from trtbuild.model.weights_file import read_values

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

__all__ = ["ModelOutline"]

_UNNAMED = "?"


class ModelOutline:
    """An ONNX model, read once, without its weights: of them it keeps their dimensions."""

    def __init__(self, proto: onnx.ModelProto, path: Path | None = None) -> None:
        graph = proto.graph
        self._path = path
        # A copy of the nodes alone: they would keep the whole file in memory.
        self.nodes: list[onnx.NodeProto] = list(type(graph)(node=graph.node).node)
        self.inputs = tuple(
            describe_tensor(value, unnamed=_UNNAMED) for value in list_inputs(graph)
        )
        self.outputs = tuple(describe_tensor(value, unnamed=_UNNAMED) for value in graph.output)
        self.split = any(tensor.data_location for tensor in graph.initializer)
        """Whether weights lie in a file beside the model."""
        self._makers = {name: node for node in self.nodes for name in node.output if name}
        self._stored = {tensor.name: _StoredConstant.of(tensor) for tensor in graph.initializer}
        for name, value in iterate_constants(self.nodes):
            if value.name == "value":
                self._stored[name] = _StoredConstant.of(value.t)
            elif value.name in ("value_float", "value_int"):
                self._stored[name] = _StoredConstant((), 0)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a model.

        Raises:
            StepInputError: it is not an ONNX model, or one without outputs.
        """
        proto = load_bare(path)
        if not proto.graph.output:
            raise StepInputError(
                f"{path.name}: has no outputs: is it an ONNX model?", hint="export the model again"
            )
        return cls(proto, path)

    def maker(self, tensor: str) -> onnx.NodeProto | None:
        """Return the node that makes a tensor; None for an input or an initializer."""
        return self._makers.get(tensor)

    def dims(self, tensor: str) -> tuple[int, ...] | None:
        """Return the dimensions of a stored constant; None for anything else."""
        stored = self._stored.get(tensor)
        return None if stored is None else stored.dims

    def values(self, tensor: str) -> npt.NDArray[np.generic] | None:
        """Return what an initializer holds, from the file; None for anything else."""
        held = self._held.get(tensor)
        if held is None or self._path is None:
            return None
        return read_values(held, folder=self._path.parent)

    def stored_type(self, tensor: str) -> int | None:
        """Return TensorProto's data type of a stored constant (0: open); None for anything else."""
        stored = self._stored.get(tensor)
        return None if stored is None else stored.dtype

    def is_constant(self, tensor: str) -> bool:
        """Tell whether a tensor is made from constants alone."""
        return tensor in self._constants

    @cached_property
    def _held(self) -> dict[str, onnx.TensorProto]:
        """The initializers, read again: weights are asked for where something is odd about them."""
        graph = None if self._path is None else load_bare(self._path).graph
        return {} if graph is None else {tensor.name: tensor for tensor in graph.initializer}

    @cached_property
    def _constants(self) -> frozenset[str]:
        known = {"", *self._stored}
        for node in self.nodes:
            if node.op_type not in RANDOM and known.issuperset(node.input):
                known.update(node.output)
        return frozenset(known)


@dataclass(frozen=True)
class _StoredConstant:
    """What is known of a constant that the file holds."""

    dims: tuple[int, ...]
    dtype: int

    @classmethod
    def of(cls, tensor: onnx.TensorProto) -> _StoredConstant:
        return cls(tuple(tensor.dims), tensor.data_type)
