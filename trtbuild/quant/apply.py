"""Quantize a model: overlay the ranges, place, insert, and give an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.core.values import Ranges
from trtbuild.quant.account import Account
from trtbuild.quant.notes import on_layers, on_manual, on_weights, on_wishes
from trtbuild.quant.opset import lift, opset_of
from trtbuild.quant.policy import place
from trtbuild.quant.qdq import insert
from trtbuild.quant.view import View
from trtbuild.quant.weights import WeightScaling
from trtbuild.quant.wishes import Wishes

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
    wishes: Wishes | None = None,
    scaling: WeightScaling | None = None,
) -> Quantized:
    """Insert Q/DQ pairs into a float model; what is given may be changed and is used up.

    `manual` bounds, by tensor name or pattern, win over `ranges`; `scaling` finds the limits of
    weights (their largest absolute values without one).

    Raises:
        StepInputError: the model is quantized already, its opset cannot be raised to 13, or a
            weight holds a NaN.
    """
    manual, wishes = manual or {}, wishes or Wishes()
    model, lifted = lift(model)
    view = View(model)
    ranges = ranges.override(manual, view.activations)
    placement = place(model, ranges=ranges, wishes=wishes)
    remarks = [
        *lifted,
        *on_layers(placement.layers),
        *placement.remarks,
        *on_manual(view, placement, manual),
        *on_wishes(view, wishes),
    ]
    tensors, weights = insert(model, placement, scaling)
    account = Account(
        opset=opset_of(model),
        layers=placement.layers,
        tensors=tensors,
        weights=weights,
        remarks=(*remarks, *on_weights(weights)),
    )
    return Quantized(model, ranges, account)
