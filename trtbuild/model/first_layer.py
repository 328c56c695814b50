"""What a model's first layer expects to be fed, as far as the model itself tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView

if TYPE_CHECKING:
    import numpy as np
    import onnx

__all__ = ["Normalization", "find_first_normalization", "find_own_scaling"]

_LAYERS = frozenset({"Conv", "Gemm", "MatMul"})
_BEFORE = frozenset({"Add", "Cast", "Div", "Identity", "Mul", "Pad", "Reshape", "Sub", "Transpose"})
"""What a model may do to its input before the first layer, and leave it what it is."""
_BYTES = (128, 512)
"""Numbers between these by which a model divides its input are 255 or 256, of pixels."""


@dataclass(frozen=True)
class Normalization:
    """The batch normalization behind the first layer that reads an input."""

    layer: str
    name: str
    tensor: str
    """What the layer makes and the normalization reads: [batch, channels, ...]."""
    model: onnx.ModelProto
    """The input, what stands before the layer, the layer, and that tensor as the one output."""
    mean: np.ndarray
    """Of each channel in training: [channels]."""
    deviation: np.ndarray
    """Of each channel in training: [channels]."""


def find_first_normalization(model: onnx.ModelProto, name: str) -> Normalization | None:
    """Return what the first layer behind an input made in training; None where that is not told.

    A normalization that was folded into its layer tells nothing any more.
    """
    import numpy as np
    import onnx

    view, passed = GraphView(model), []
    for node in _walk(view, name):
        passed.append(node)
        reader = _read_once(view, node.output[0]) if node.op_type in _LAYERS else None
        if reader is None or reader.op_type != "BatchNormalization":
            continue
        held = [view.held(each) for each in reader.input[3:5]]
        if None in held:
            return None
        mean, variance = (
            onnx.numpy_helper.to_array(each).astype(np.float64) for each in held if each is not None
        )
        epsilon = next((each.f for each in reader.attribute if each.name == "epsilon"), 1e-5)
        deviation = np.sqrt(np.maximum(variance, 0) + epsilon)
        return Normalization(
            layer=name_of(node),
            name=name_of(reader),
            tensor=node.output[0],
            model=_cut_out(model, view, name, passed),
            mean=mean,
            deviation=deviation,
        )
    return None


def find_own_scaling(model: onnx.ModelProto, name: str) -> str:
    """Return the node by which a model brings pixels of 0..255 to 0..1 itself; empty if none."""
    import onnx

    view = GraphView(model)
    for node in _walk(view, name):
        held = [view.held(each) for each in node.input]
        factors = [onnx.numpy_helper.to_array(each) for each in held if each is not None]
        if node.op_type not in {"Div", "Mul"} or len(factors) != 1 or not factors[0].size:
            continue
        factor = float(abs(factors[0]).min())
        divisor = factor if node.op_type == "Div" else 1 / factor if factor else 0.0
        if _BYTES[0] < divisor < _BYTES[1]:
            return name_of(node)
    return ""


def _walk(view: GraphView, name: str) -> Iterator[onnx.NodeProto]:
    """Yield the nodes that an input passes through, the first layer last."""
    node = _read_once(view, name)
    while node is not None:
        yield node
        node = _read_once(view, node.output[0]) if node.op_type in _BEFORE else None


def _read_once(view: GraphView, tensor: str) -> onnx.NodeProto | None:
    readers = view.readers.get(tensor, [])
    return view.nodes[readers[0][0]] if len(readers) == 1 else None


def _cut_out(
    model: onnx.ModelProto, view: GraphView, name: str, nodes: Sequence[onnx.NodeProto]
) -> onnx.ModelProto:
    """Return a model of some nodes in a row, for any batch."""
    import onnx

    read = (each for node in nodes for each in node.input)
    held = [(each, view.held(each)) for each in dict.fromkeys(read)]
    weights = []
    for tensor_name, tensor in held:
        if tensor is not None:
            copy = onnx.TensorProto()
            copy.CopyFrom(tensor)
            copy.name = tensor_name
            weights.append(copy)
    (fed,) = (each for each in model.graph.input if each.name == name)
    element = fed.type.tensor_type.elem_type
    value = onnx.helper.make_tensor_value_info(name, element, None)
    output = onnx.ValueInfoProto(name=nodes[-1].output[0])
    graph = onnx.helper.make_graph(nodes, "first layer", [value], [output], weights)
    return onnx.helper.make_model(
        graph, opset_imports=model.opset_import, ir_version=min(model.ir_version, 10)
    )
