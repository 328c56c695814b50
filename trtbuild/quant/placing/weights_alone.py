"""Placement where weights alone are quantized: no activation has a pair, and no range is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import QuantizedType
from trtbuild.core.records import RequestedLayer
from trtbuild.model.view import GraphView
from trtbuild.quant.axes import find_contracted_axis
from trtbuild.quant.layers import WeightedLayer, find_float_type, read_layers
from trtbuild.quant.placing.placement import Placement, WeightCopy
from trtbuild.quant.placing.policy import list_layers_in_bodies
from trtbuild.quant.requests import PrecisionRequests

if TYPE_CHECKING:
    import onnx

__all__ = ["place_weights"]

TAKEN = frozenset({"Gemm", "MatMul"})


def place_weights(
    model: onnx.ModelProto,
    *,
    into: QuantizedType,
    block: int | None,
    requests: PrecisionRequests | None = None,
) -> Placement:
    """Decide which weights a type that is for these alone is for, without touching the model.

    Those of Gemm and MatMul, each with a scale for every `block` inputs of an output channel, or
    for all of them. TensorRT takes no blocks along the inputs of a Conv.
    """
    view = GraphView(model)
    requests = requests or PrecisionRequests()
    layers = read_layers(view)
    reasons = {each.index: _find_reason(view, each, into, block, requests) for each in layers}
    copies: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for layer in layers:
        if layer.weight is not None and not reasons[layer.index]:
            site = (layer.index, layer.weight.slot)
            axis = layer.weight.axis if block is None else _find_axis(view, layer)
            copies.setdefault((view.root(_read_weight(view, layer)), axis), []).append(site)
    return Placement(
        pairs=(),
        weights=tuple(
            WeightCopy(name, axis, tuple(sites), block, into)
            for (name, axis), sites in copies.items()
        ),
        layers=(*_account_for(view, layers, reasons, into), *list_layers_in_bodies(view)),
    )


def _account_for(
    view: GraphView, layers: list[WeightedLayer], reasons: dict[int, str], into: QuantizedType
) -> Iterator[RequestedLayer]:
    for layer in layers:
        reason = reasons[layer.index]
        precision = find_float_type(view, layer.index) if reason else into.name
        yield RequestedLayer(name=layer.name, op=layer.op, precision=precision, reason=reason)


def _find_reason(
    view: GraphView,
    layer: WeightedLayer,
    into: QuantizedType,
    block: int | None,
    requests: PrecisionRequests,
) -> str:
    """Say why a layer keeps its weight; nothing if it does not."""
    if layer.reason:
        return layer.reason
    if against := requests.object_to_quantizing(layer.name, layer.op):
        return against
    if layer.weight is None:
        return f"it has no weight, and {into.word} is for weights"
    if layer.op not in TAKEN:
        return f"{into.word} is for the weights of Gemm and MatMul"
    dims = view.dims(_read_weight(view, layer)) or ()
    inputs = dims[_find_axis(view, layer)] if block is not None else 0
    if block is not None and (inputs is None or int(inputs) % block):
        return f"its {inputs} inputs are no multiple of {block}, the size of a block"
    return ""


def _find_axis(view: GraphView, layer: WeightedLayer) -> int:
    assert layer.weight is not None  # noqa: S101  # whoever asks has looked
    return find_contracted_axis(view, view.nodes[layer.index], layer.weight.slot)


def _read_weight(view: GraphView, layer: WeightedLayer) -> str:
    assert layer.weight is not None  # noqa: S101
    return str(view.nodes[layer.index].input[layer.weight.slot])
