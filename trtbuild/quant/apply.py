"""Quantize a model: overlay the ranges, place, insert, and give an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.core.values import Ranges
from trtbuild.quant.account import Account
from trtbuild.quant.notes import on_layers, on_manual, on_skip, on_weights
from trtbuild.quant.opset import lift, opset_of
from trtbuild.quant.policy import place
from trtbuild.quant.qdq import insert
from trtbuild.quant.view import View

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
    skip: Sequence[str] = (),
) -> Quantized:
    """Insert Q/DQ pairs into a float model; what is given may be changed and is used up.

    `manual` bounds, by tensor name or pattern, win over `ranges`; `skip` names the nodes that
    stay float (see `place`).

    Raises:
        StepInputError: the model is quantized already, its opset cannot be raised to 13, or a
            weight holds a NaN.
    """
    manual = manual or {}
    model, lifted = lift(model)
    view = View(model)
    ranges = ranges.override(manual, view.activations)
    placement = place(model, ranges=ranges, skip=skip)
    remarks = [
        *lifted,
        *on_layers(placement.layers),
        *placement.remarks,
        *on_manual(view, placement, manual),
        *on_skip(view, skip),
    ]
    tensors, weights = insert(model, placement)
    account = Account(
        opset=opset_of(model),
        layers=placement.layers,
        tensors=tensors,
        weights=weights,
        remarks=(*remarks, *on_weights(weights)),
    )
    return Quantized(model, ranges, account)
