"""Convert what is not INT8 to 16 bits, and say in the account what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trtbuild.core.options import Options
from trtbuild.core.records import RequestedLayer
from trtbuild.model.opset import raise_opset, read_opset
from trtbuild.model.view import GraphView
from trtbuild.quant.account import KeptAccount, QuantizationAccount
from trtbuild.quant.half.half import halve
from trtbuild.quant.half_types import HALVES, HalfName
from trtbuild.quant.layers import find_float_type, read_layers
from trtbuild.quant.remarks import name_few
from trtbuild.quant.requests import PrecisionRequests

if TYPE_CHECKING:
    import onnx

__all__ = ["HalfSettings", "Peaks", "convert_to_half", "make_float_account", "raise_opset_for_half"]


@dataclass(frozen=True)
class HalfSettings:
    """The 16-bit type for what is not INT8, and what was measured to judge by."""

    name: HalfName
    largest: Mapping[str, float] = field(default_factory=dict)
    """The largest absolute value that calibration saw of each tensor."""
    keep_io_types: bool = True
    """Whether the model's inputs and outputs stay float32."""


class Peaks(Options):
    """`peaks.json`: the largest absolute value that was seen of each tensor."""

    tensors: dict[str, float]


def raise_opset_for_half(
    model: onnx.ModelProto, name: HalfName, *, quantized: bool
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Raise a model's opset as far as a 16-bit type needs, and no further; see `lift`.

    Raises:
        StepInputError: the opset has to be raised and cannot be.
    """
    half = HALVES[name]
    needed = half.quantized_opset if quantized else half.opset
    return raise_opset(model, needed, what=f"{name} behind Q/DQ" if quantized else name)


def make_float_account(model: onnx.ModelProto) -> QuantizationAccount:
    """Account for a model that is not quantized: every layer in its own type."""
    view = GraphView(model)
    layers = tuple(
        RequestedLayer(name=layer.name, op=layer.op, precision=find_float_type(view, layer.index))
        for layer in read_layers(view)
    )
    return QuantizationAccount(opset=read_opset(model), layers=layers, tensors=(), weights=())


def convert_to_half(
    model: onnx.ModelProto,
    account: QuantizationAccount,
    high: HalfSettings,
    requests: PrecisionRequests | None = None,
) -> QuantizationAccount:
    """Convert a model to 16 bits in place; return its account with what stays float32, and why."""
    staying = halve(
        model, high.name, largest=high.largest, requests=requests, keep_io_types=high.keep_io_types
    )
    layers = (
        layer
        if layer.precision != "fp32" or layer.name in staying
        else layer.model_copy(update={"precision": high.name})
        for layer in account.layers
    )
    kept = tuple(
        KeptAccount(name=node, op=op, reason=reason) for node, (op, reason) in staying.items()
    )
    remarks = [*account.remarks, *_note_kept(kept)]
    if not high.largest:
        told = f"nothing was measured: what overflows {high.name} is known of constants alone"
        remarks.append(told)
    return account.model_copy(
        update={"layers": tuple(layers), "kept": kept, "remarks": tuple(remarks)}
    )


def _note_kept(kept: Sequence[KeptAccount]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for node in kept:
        groups.setdefault(node.reason, []).append(f"{node.op} `{node.name}`")
    for reason, names in groups.items():
        verb = "stays" if len(names) == 1 else "stay"
        yield f"{name_few(names)} {verb} float32: {reason}"
