"""Quantize a model: overlay the ranges, place, insert, and give an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.core.values import Ranges
from trtbuild.model.opset import lift, opset_of
from trtbuild.model.view import View
from trtbuild.quant.account import Account
from trtbuild.quant.adopting.adopt import adopt
from trtbuild.quant.adopting.repairs import told
from trtbuild.quant.existing import is_quantized
from trtbuild.quant.half.convert import High, convert, lift_for
from trtbuild.quant.half_types import HALVES, Half
from trtbuild.quant.notes import on_distant, on_layers, on_manual, on_weights, on_wishes
from trtbuild.quant.placing.policy import place
from trtbuild.quant.placing.ties import tied
from trtbuild.quant.wishes import Wishes
from trtbuild.quant.writing.qdq import insert
from trtbuild.quant.writing.weights import WeightScaling

if TYPE_CHECKING:
    import onnx

__all__ = ["Quantized", "quantize"]

Manual = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Quantized:
    """A quantized model, the ranges that it was made with, and the account."""

    model: onnx.ModelProto
    ranges: Ranges
    account: Account


def quantize(
    model: onnx.ModelProto,
    *,
    ranges: Ranges,
    manual: Manual | None = None,
    filed: Manual | None = None,
    wishes: Wishes | None = None,
    scaling: WeightScaling | None = None,
    high: High | None = None,
) -> Quantized:
    """Insert Q/DQ pairs into a model; what is given may be changed and is used up.

    `manual` bounds, by tensor name or pattern, and those that were `filed` by name win over
    `ranges` (see `Ranges.override`); `scaling` finds the limits of weights (their largest
    absolute values without one). A model that is quantized already keeps
    its own placement: it is repaired where TensorRT would refuse or silently change it.
    What is not INT8 is written in `high`, where what was measured allows it (see `halve`).

    Raises:
        StepInputError: the opset cannot be raised to 13, a weight holds a NaN, or the model is
            quantized in a way that cannot be repaired.
    """
    manual, filed, wishes = manual or {}, filed or {}, wishes or Wishes()
    raised: tuple[str, ...] = ()
    if high is not None:
        model, raised = lift_for(model, high.name, quantized=True)
    half = None if high is None else HALVES[high.name]
    if is_quantized(view := View(model)):
        known = {name: bounds for name, bounds in filed.items() if name in view.activations}
        found = _adopt(model, {**known, **manual}, wishes, half, raised)
    else:
        model, lifted = lift(model)
        overlay = _Overlay(ranges, manual, filed)
        found = _placed(model, overlay, wishes, scaling, half, (*raised, *lifted))
    if high is None:
        return found
    account = convert(found.model, found.account, high, wishes)
    return Quantized(found.model, found.ranges, account)


@dataclass(frozen=True)
class _Overlay:
    """Ranges, and those that win over them."""

    ranges: Ranges
    manual: Manual
    filed: Manual


def _placed(
    model: onnx.ModelProto,
    overlay: _Overlay,
    wishes: Wishes,
    scaling: WeightScaling | None,
    half: Half | None,
    lifted: tuple[str, ...],
) -> Quantized:
    view = View(model)
    manual = overlay.manual
    ranges = overlay.ranges.override(
        manual, view.activations, filed=overlay.filed, file="ranges_file"
    )
    placement = place(model, ranges=ranges, wishes=wishes, half=half)
    paired = {pair.tensor for pair in placement.pairs}
    remarks = [
        *lifted,
        *on_layers(placement.layers),
        *placement.remarks,
        *on_manual(view, paired, placement.layers, manual),
        *on_distant(paired, ranges),
        *on_wishes(view, wishes),
    ]
    tensors, weights = insert(model, placement, scaling, half=half)
    account = Account(
        opset=opset_of(model),
        layers=placement.layers,
        tensors=tensors,
        weights=weights,
        remarks=(*remarks, *on_weights(weights)),
    )
    return Quantized(model, tied(ranges, placement.pairs), account)


def _adopt(
    model: onnx.ModelProto,
    manual: Manual,
    wishes: Wishes,
    half: Half | None,
    raised: tuple[str, ...],
) -> Quantized:
    """Take the quantization that a model brings, repaired; wishes have no effect on it."""
    model, lifted = lift(model)
    found = adopt(model, manual, half=half)
    paired = {tensor.name for tensor in found.tensors}
    ignored = ", ".join(f"`{pattern}`" for pattern in (*wishes.skip, *wishes.precision))
    account = Account(
        opset=opset_of(model),
        layers=found.layers,
        tensors=found.tensors,
        weights=found.weights,
        remarks=(
            "the model is quantized already; its own placement is kept",
            *raised,
            *lifted,
            *told(found.repairs),
            *([f"scales are rounded up to what {half.name} can hold"] if half else []),
            *on_layers(found.layers),
            *on_manual(View(model), paired, found.layers, manual),
            *([f"skip and precision have no effect: {ignored}"] if ignored else []),
        ),
    )
    return Quantized(model, found.ranges, account)
