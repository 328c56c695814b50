"""The Q/DQ pairs of a quantized model, to be put into the float model one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import INT8, QuantizedType, find_type_of_onnx
from trtbuild.model.folding import fold_value
from trtbuild.model.names import NameGenerator
from trtbuild.model.nodes import name_of
from trtbuild.model.segments import Rewiring
from trtbuild.model.view import GraphView, Site
from trtbuild.quant.quantized_graph import LinearNode, read_linear

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

__all__ = ["QuantizedOperand", "QuantizedOperands", "read_operands"]


@dataclass(frozen=True)
class QuantizedOperand:
    """What an operand of the float model reads in the quantized one."""

    source: str
    """The float tensor; of a weight, what the float model has for it."""
    linear: LinearNode | None
    """None for a constant that was fitted to what is INT8: a bias."""
    tensor: str
    """What the quantized model calls the tensor that is quantized."""
    integers: str = ""
    """The constant in the quantized model; empty for an activation."""

    @property
    def limit(self) -> float:
        """The largest absolute value that an activation's scale represents."""
        return self.scale * self.into.largest

    @property
    def into(self) -> QuantizedType:
        """The type that it is quantized to."""
        return (self.linear and find_type_of_onnx(self.linear.dtype)) or INT8

    @property
    def scale(self) -> float:
        """The scale of an activation, or the largest of a weight."""
        return 0.0 if self.linear is None else float(self.linear.scale.max())


@dataclass
class QuantizedOperands:
    """The quantized operands of a model, by their place in the float one."""

    found: dict[Site, QuantizedOperand]
    _view: GraphView
    _quantized: GraphView
    _names: NameGenerator
    _given: dict[tuple[str, float], str] = field(default_factory=dict)
    """Names that were given to what is added, by the tensor and its scale or axis."""
    _weights: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    """Weights, rounded to INT8, by the names that they were given."""

    def name_integers(self, site: Site) -> str:
        """Return what an activation's integers are called where it is switched on."""
        return self._name(self.found[site], "quantized")

    def rewire(self, sites: Iterable[Site]) -> Rewiring:
        """Let these operands read what they read in the quantized model: float32, bit for bit."""
        made = Rewiring()
        known: set[str] = set()
        for site in sorted(sites):
            operand = self.found[site]
            name = self._name(operand, "dequantized")
            made.operands[site] = name
            if name in known:
                continue
            known.add(name)
            if operand.integers:
                made.constants[name] = self._dequantize(operand, name)
            else:
                made.before.setdefault(site[0], []).extend(self._write_pair(operand, made))
        return made

    def _name(self, operand: QuantizedOperand, what: str) -> str:
        axis = -1 if operand.linear is None else operand.linear.axis
        mark = axis if operand.integers else operand.scale
        key = (f"{operand.source} {operand.integers} {what}", mark)
        if key not in self._given:
            self._given[key] = self._names.fresh(f"{operand.tensor}_{what}")
        return self._given[key]

    def _dequantize(self, operand: QuantizedOperand, name: str) -> npt.NDArray[np.float32]:
        """Compute what ONNX says of a DequantizeLinear, bit for bit, and once."""
        import numpy as np

        if name in self._weights:
            return self._weights[name]
        linear = operand.linear
        values = fold_value(self._quantized, operand.integers).astype(np.float32)
        if linear is None:
            return values
        if linear.scale.ndim > 1:
            self._weights[name] = values * _spread(linear.scale, values.shape[linear.axis], linear)
            return self._weights[name]
        shape = [1] * values.ndim
        if linear.scale.size > 1:
            shape[linear.axis] = linear.scale.size
        if linear.zero.any():
            values -= linear.zero.astype(np.float32).reshape(shape if linear.zero.size > 1 else ())
        values *= linear.scale.astype(np.float32).reshape(shape if linear.scale.size > 1 else ())
        self._weights[name] = values
        return values

    def _write_pair(self, operand: QuantizedOperand, made: Rewiring) -> Iterator[onnx.NodeProto]:
        import numpy as np
        import onnx

        integers, result = (self._name(operand, what) for what in ("quantized", "dequantized"))
        half = self._view.dtype(operand.source) == "float16"
        scale = np.array(operand.scale, np.float16 if half else np.float32)
        more = [self._name(operand, what) for what in ("scale_switched", "zero_switched")]
        made.constants |= dict(zip(more, (scale, np.zeros((), operand.into.dtype)), strict=True))
        yield onnx.helper.make_node("QuantizeLinear", [operand.source, *more], [integers], integers)
        yield onnx.helper.make_node("DequantizeLinear", [integers, *more], [result], result)


def _spread(
    scale: npt.NDArray[np.floating], inputs: int, linear: LinearNode
) -> npt.NDArray[np.float32]:
    """Repeat the scales of blocks for each input of a block; zero points of blocks are zeros."""
    import numpy as np

    block = -(-inputs // scale.shape[linear.axis])
    wide = np.repeat(scale.astype(np.float32), block, axis=linear.axis)
    return np.take(wide, range(inputs), axis=linear.axis)


def read_operands(model: onnx.ModelProto, quantized: onnx.ModelProto) -> QuantizedOperands:
    """Find the operands of a float model that are INT8 in what quantization made of it.

    Nodes are known by their names, which both have.
    """
    view, other = GraphView(model), GraphView(quantized)
    places = {name_of(node): index for index, node in enumerate(view.nodes)}
    found: dict[Site, QuantizedOperand] = {}
    for node in other.nodes:
        index = places.get(name_of(node))
        if index is None or view.nodes[index].op_type != node.op_type:
            continue
        for slot, name in enumerate(node.input[: len(view.nodes[index].input)]):
            operand = _read(other, name, view.nodes[index].input[slot])
            if operand is not None:
                found[index, slot] = operand
        found |= _read_bias(view, index, other, node)
    return QuantizedOperands(found, view, other, NameGenerator(model.graph))


def _read(quantized: GraphView, name: str, source: str) -> QuantizedOperand | None:
    """Read what a DequantizeLinear hands to an operand; None where none does."""
    index = quantized.producers.get(name)
    while index is not None and quantized.nodes[index].op_type == "Cast":
        index = quantized.producers.get(quantized.nodes[index].input[0])
    if index is None or quantized.nodes[index].op_type != "DequantizeLinear":
        return None
    stored = quantized.nodes[index].input[0]
    if quantized.is_constant(stored):
        return QuantizedOperand(source, read_linear(quantized, index), stored, stored)
    maker = quantized.producers.get(stored)
    if maker is None or quantized.nodes[maker].op_type != "QuantizeLinear":
        return None
    tensor = str(quantized.nodes[maker].input[0])
    return QuantizedOperand(source, read_linear(quantized, maker), tensor)


def _read_bias(
    view: GraphView, index: int, quantized: GraphView, node: onnx.NodeProto
) -> dict[Site, QuantizedOperand]:
    """Return the bias of a layer, or the Add behind a MatMul, where quantization fitted it."""
    import numpy as np

    mine = view.nodes[index]
    if node.op_type in {"Conv", "ConvTranspose", "Gemm"}:
        slots = [2] if len(node.input) > 2 else []  # noqa: PLR2004
    elif node.op_type == "Add":
        slots = [slot for slot, name in enumerate(node.input) if quantized.is_constant(name)]
    else:
        slots = []
    found = {}
    for slot in slots:
        own = mine.input[slot] if slot < len(mine.input) else ""
        fitted = node.input[slot]
        if not quantized.is_constant(fitted) or (own and not view.is_constant(own)):
            continue
        if own and np.array_equal(fold_value(view, own), fold_value(quantized, fitted)):
            continue
        found[index, slot] = QuantizedOperand(own, None, fitted, fitted)
    return found
