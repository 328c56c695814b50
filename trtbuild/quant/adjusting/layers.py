"""The layers of an INT8 model whose weights and biases can be adjusted, front to back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.model.nodes import WEIGHTED, name_of
from trtbuild.model.view import GraphView, read_ints
from trtbuild.quant.adjusting.patches import LayerForm, read_form
from trtbuild.quant.quantized_graph import LinearNode, read_linears

if TYPE_CHECKING:
    import onnx

__all__ = ["Bias", "IntegerLayer", "find_layers"]


@dataclass(frozen=True)
class Bias:
    """Where something constant is added to what a layer makes, or can be."""

    node: int
    """The layer itself, or the Add behind it."""
    slot: int
    tensor: str
    """The constant that is there now; empty where there is none."""
    factor: float = 1.0
    """Gemm's beta: what is added is so many times the constant."""


@dataclass(frozen=True)
class IntegerLayer:
    """A weighted node whose two operands come out of INT8."""

    index: int
    name: str
    op: str
    integers: str
    """Its input in INT8."""
    input_scale: float
    weight: str
    """The INT8 initializer."""
    weight_linear: LinearNode
    output: str
    form: LayerForm | None
    """None where its weight is not rounded anew."""
    form_fault: str
    """Why it is not."""
    bias: Bias | None
    """None where no bias can be had that TensorRT is known to take."""
    channels: int
    """Of its output."""
    on_the_left: bool
    """Whether the weight is the first operand: the channels of its output are the rows."""

    def channel_axis(self, rank: int) -> int:
        """Return the axis of channels of what it makes."""
        if self.op in {"Conv", "ConvTranspose"}:
            return 1
        return rank - 2 if self.on_the_left else rank - 1


def find_layers(model: onnx.ModelProto) -> Iterator[IntegerLayer]:
    """Yield the INT8 layers with constant weights of a model with Q/DQ pairs, in graph order."""
    view = GraphView(model)
    linears = read_linears(view)
    for index, node in enumerate(view.nodes):
        if node.op_type not in WEIGHTED or index in view.behind:
            continue
        ends = [linears.get(view.producers.get(name, -1)) for name in node.input[:2]]
        sources = ["" if end is None else view.nodes[end.index].input[0] for end in ends]
        stored = [bool(source) and view.held(source) is not None for source in sources]
        if sorted(stored) != [False, True] or not all(sources):
            continue
        slot = stored.index(True)
        weight, data = ends[slot], ends[1 - slot]
        assert weight is not None  # noqa: S101  # it has a source
        assert data is not None  # noqa: S101
        if {weight.dtype, data.dtype} != {"int8"} or data.scale.size != 1:
            continue
        form, fault = read_form(view, node, slot), "its layout is not one that is rounded"
        if not _reads_alone(view, weight, sources[slot]):
            form, fault = None, "another layer reads the same weight"
        yield IntegerLayer(
            index=index,
            name=name_of(node),
            op=node.op_type,
            integers=sources[1 - slot],
            input_scale=float(data.scale.ravel()[0]),
            weight=sources[slot],
            weight_linear=weight,
            output=node.output[0],
            form=form,
            form_fault=fault,
            bias=_find_bias(view, index),
            channels=_count_channels(view, index, weight),
            on_the_left=slot == 0,
        )


def _count_channels(view: GraphView, index: int, weight: LinearNode) -> int:
    """Count a layer's output channels: groups of a ConvTranspose share their scales."""
    node = view.nodes[index]
    groups = (read_ints(node, "group") or (1,))[0] if node.op_type == "ConvTranspose" else 1
    sizes = view.dims(view.nodes[weight.index].input[0]) or ()
    return groups * int(sizes[weight.axis] or 1) if sizes else weight.scale.size


def _reads_alone(view: GraphView, linear: LinearNode, weight: str) -> bool:
    """Tell whether one layer alone reads a weight: another one's inputs may want other integers."""
    result = view.nodes[linear.index].output[0]
    return view.is_read(weight, times=1) and view.is_read(result, times=1)


def _find_bias(view: GraphView, index: int) -> Bias | None:
    node = view.nodes[index]
    if node.op_type != "MatMul":
        tensor = node.input[2] if len(node.input) > 2 else ""  # noqa: PLR2004
        factors = [each.f for each in node.attribute if each.name == "beta"]
        factor = factors[0] if node.op_type == "Gemm" and factors else 1.0
        usable = not tensor or (view.is_constant(tensor) and factor != 0)
        return Bias(index, 2, tensor, factor) if usable else None
    if not view.is_read(node.output[0], times=1):
        return None
    ((reader, slot),) = view.readers[node.output[0]]
    add = view.nodes[reader]
    if add.op_type == "Add" and view.is_constant(add.input[1 - slot]):
        return Bias(reader, 1 - slot, add.input[1 - slot])
    return None
