"""Placement: what quantization is going to do to a model, as a value that nothing has acted on."""

from __future__ import annotations

from dataclasses import dataclass

from trtbuild.core.quantized_types import INT8, QuantizedType
from trtbuild.core.records import RequestedLayer
from trtbuild.model.view import Site

__all__ = ["Pair", "Placement", "WeightCopy"]


@dataclass(frozen=True)
class Pair:
    """One Q/DQ pair of an activation, read by every operand in `sites`."""

    tensor: str
    limit: float
    """The largest absolute value it represents; the scale is limit / 127 (of FP8, limit / 448)."""
    sites: tuple[Site, ...]
    shared_with: tuple[str, ...] = ()
    """Other tensors that have the same scale, so that values pass between them unchanged."""
    into: QuantizedType = INT8


@dataclass(frozen=True)
class WeightCopy:
    """A weight in a quantized type, read by every operand in `sites`."""

    tensor: str
    axis: int
    """One scale for each index along it; with blocks, the axis of inputs, along which they lie."""
    sites: tuple[Site, ...]
    block: int | None = None
    """How many inputs share a scale; None for all of an output channel."""
    into: QuantizedType = INT8


@dataclass(frozen=True)
class Placement:
    """Which operands read quantized values, and what becomes of every weighted layer."""

    pairs: tuple[Pair, ...]
    weights: tuple[WeightCopy, ...]
    layers: tuple[RequestedLayer, ...]
    remarks: tuple[str, ...] = ()
