"""Quantize a model: overlay the ranges, place, insert, and give an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.core.quantized_types import INT8, QuantizedType
from trtbuild.core.values import Ranges
from trtbuild.model.nodes import WEIGHTED
from trtbuild.model.opset import raise_opset, read_opset
from trtbuild.model.view import GraphView
from trtbuild.quant.account import QuantizationAccount
from trtbuild.quant.adjusting.table import Adjustments, write_adjustments
from trtbuild.quant.adopting.adopt import adopt_quantized
from trtbuild.quant.adopting.repairs import describe_repairs
from trtbuild.quant.half.convert import HalfSettings, convert_to_half, raise_opset_for_half
from trtbuild.quant.half_types import HALVES, HalfName, HalfType, find_half
from trtbuild.quant.placing.policy import place_pairs
from trtbuild.quant.placing.tied_ranges import tie_ranges
from trtbuild.quant.placing.weights_alone import place_weights
from trtbuild.quant.quantized_graph import is_quantized
from trtbuild.quant.remarks import (
    note_distant,
    note_float_layers,
    note_idle_manual,
    note_plugins,
    note_protected,
    note_unmatched_requests,
    note_weights,
)
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.quant.writing.cuts import hold_cuts
from trtbuild.quant.writing.qdq import insert_pairs
from trtbuild.quant.writing.weights import WeightScaling

if TYPE_CHECKING:
    import onnx

__all__ = ["QuantizedModel", "quantize_model"]

Manual = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class QuantizedModel:
    """A quantized model, the ranges that it was made with, and the account."""

    model: onnx.ModelProto
    ranges: Ranges
    account: QuantizationAccount


def quantize_model(  # noqa: PLR0913  # all that a recipe says of it
    model: onnx.ModelProto,
    *,
    ranges: Ranges,
    manual: Manual | None = None,
    filed: Manual | None = None,
    requests: PrecisionRequests | None = None,
    scaling: WeightScaling | None = None,
    high: HalfSettings | None = None,
    adjusted: Adjustments | None = None,
    halved: bool = True,
    into: QuantizedType = INT8,
    block: int | None = None,
) -> QuantizedModel:
    """Insert Q/DQ pairs into a model; what is given may be changed and is used up.

    `manual` bounds, by tensor name or pattern, and those that were `filed` by name win over
    `ranges` (see `Ranges.override`); `scaling` finds the limits of weights (their largest
    absolute values without one). A model that is quantized already keeps
    its own placement: it is repaired where TensorRT would refuse or silently change it.
    Tensors and weights become numbers of `into`, or weights alone where
    it is for these, by blocks of `block` inputs. What is not quantized is written in `high`, where
    what was measured allows it (see `halve`); unless it is to be `halved`, only its scales are such
    as that type can hold. Integers and biases that were `adjusted` to these scales take the place
    of those found here. What TensorRT-RTX would lose to the cuts behind a layer is kept (see
    `hold_cuts`).

    Raises:
        StepInputError: the opset cannot be raised to 13, a weight holds a NaN, or the model is
            quantized in a way that cannot be repaired.
    """
    manual, filed, requests = manual or {}, filed or {}, requests or PrecisionRequests()
    half = None if high is None else HALVES[high.name]
    settings = _Settings(half, into, scaling, block)
    quantized = is_quantized(view := GraphView(model))
    names: set[HalfName] = set() if high is None else {high.name}
    model, raised = _raise_opset(model, names if quantized else names.union(_list_halves(view)))
    if quantized:
        view = GraphView(model)
        known = {name: bounds for name, bounds in filed.items() if name in view.activations}
        found = _adopt(model, {**known, **manual}, requests, settings, raised)
    else:
        highest = max((into, *requests.types), key=lambda each: each.opset)
        model, lifted = raise_opset(model, highest.opset, what=_describe_pairs(highest))
        overlay = _Overlay(ranges, manual, filed)
        found = _place_and_insert(model, overlay, requests, settings, (*raised, *lifted))
    if adjusted is not None:
        write_adjustments(found.model, adjusted)
    account = found.account
    if high is not None and halved:
        account = convert_to_half(found.model, account, high, requests)
    if held := hold_cuts(found.model, account.layers):
        account = account.model_copy(update={"remarks": (*account.remarks, *held)})
    return QuantizedModel(found.model, found.ranges, account)


def _list_halves(view: GraphView) -> Iterator[HalfName]:
    """Yield the 16-bit types that a model computes in where INT8 is for it."""
    for node in view.nodes:
        if node.op_type in WEIGHTED:
            found = (find_half(view.dtype(name)) for name in node.input[:2])
            yield from (half.name for half in found if half is not None)


def _raise_opset(
    model: onnx.ModelProto, names: AbstractSet[HalfName]
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Raise a model's opset as far as pairs of these 16-bit types need, which is far enough."""
    remarks: list[str] = []
    for name in sorted(names, key=lambda name: -HALVES[name].quantized_opset):
        model, raised = raise_opset_for_half(model, name, quantized=True)
        remarks += raised
    return model, tuple(remarks)


class _Settings(NamedTuple):
    """The 16-bit type beside it, the quantized type, and how weights are scaled."""

    half: HalfType | None
    into: QuantizedType
    scaling: WeightScaling | None
    block: int | None


def _describe_pairs(into: QuantizedType) -> str:
    return "Q/DQ by channel" if into == INT8 else f"{into.word} in Q/DQ"


@dataclass(frozen=True)
class _Overlay:
    """Ranges, and those that win over them."""

    ranges: Ranges
    manual: Manual
    filed: Manual


def _place_and_insert(
    model: onnx.ModelProto,
    overlay: _Overlay,
    requests: PrecisionRequests,
    settings: _Settings,
    lifted: tuple[str, ...],
) -> QuantizedModel:
    view = GraphView(model)
    manual = overlay.manual
    ranges = overlay.ranges.override(
        manual, view.activations, filed=overlay.filed, file="ranges_file"
    )
    half, into, scaling, block = settings
    if into.weights_only:
        placement = place_weights(model, into=into, block=block, requests=requests)
    else:
        placement = place_pairs(model, ranges=ranges, requests=requests, half=half, into=into)
    paired = {pair.tensor for pair in placement.pairs}
    remarks = [
        *lifted,
        *note_plugins(view),
        *note_float_layers(placement.layers),
        *placement.remarks,
        *note_idle_manual(view, paired, placement.layers, manual),
        *note_distant(paired, ranges),
        *note_unmatched_requests(view, requests),
        *note_protected(requests),
    ]
    tensors, weights = insert_pairs(model, placement, scaling, half=half)
    account = QuantizationAccount(
        opset=read_opset(model),
        layers=placement.layers,
        tensors=tensors,
        weights=weights,
        remarks=(*remarks, *note_weights(weights)),
    )
    return QuantizedModel(model, tie_ranges(ranges, placement.pairs), account)


def _list_asked(requests: PrecisionRequests) -> tuple[str, ...]:
    return (*requests.skip, *requests.protected, *requests.precision)


def _adopt(
    model: onnx.ModelProto,
    manual: Manual,
    requests: PrecisionRequests,
    settings: _Settings,
    raised: tuple[str, ...],
) -> QuantizedModel:
    """Take the quantization that a model brings, repaired; requests have no effect on it."""
    half = settings.half
    model, lifted = raise_opset(model)
    found = adopt_quantized(model, manual, half=half)
    paired = {tensor.name for tensor in found.tensors}
    ignored = ", ".join(f"`{pattern}`" for pattern in _list_asked(requests))
    account = QuantizationAccount(
        opset=read_opset(model),
        layers=found.layers,
        tensors=found.tensors,
        weights=found.weights,
        remarks=(
            "the model is quantized already; its own placement is kept",
            *raised,
            *lifted,
            *describe_repairs(found.repairs),
            *([f"scales are rounded up to what {half.name} can hold"] if half else []),
            *note_float_layers(found.layers),
            *note_idle_manual(GraphView(model), paired, found.layers, manual),
            *([f"skip, protect and precision have no effect: {ignored}"] if ignored else []),
        ),
    )
    return QuantizedModel(model, found.ranges, account)
