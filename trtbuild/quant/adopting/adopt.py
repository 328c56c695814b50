"""Accept a model that is quantized already: repair it, and account for it as for our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import INT8, find_type_of_onnx
from trtbuild.core.records import RequestedLayer
from trtbuild.core.values import Range, Ranges
from trtbuild.model.editor import Editor
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView
from trtbuild.quant.account import TensorAccount, WeightAccount
from trtbuild.quant.adopting.repair_activations import (
    compute_bounds,
    compute_symmetric_scale,
    repair_stream,
    rescale,
)
from trtbuild.quant.adopting.repair_weights import repair_stored
from trtbuild.quant.adopting.repairs import FOREIGN, Repair
from trtbuild.quant.half_types import HalfType, find_half, round_up
from trtbuild.quant.limits import compute_scale, explain_unusable
from trtbuild.quant.quantized_graph import (
    QuantizedStream,
    find_stored_constants,
    find_streams,
    read_linears,
)
from trtbuild.quant.quantized_layers import list_requested_layers

if TYPE_CHECKING:
    import onnx

__all__ = ["AdoptedModel", "adopt_quantized"]


@dataclass(frozen=True)
class AdoptedModel:
    """What a quantized model brought along, and what had to be repaired."""

    ranges: Ranges
    repairs: tuple[Repair, ...]
    layers: tuple[RequestedLayer, ...]
    tensors: tuple[TensorAccount, ...]
    weights: tuple[WeightAccount, ...]


def adopt_quantized(
    model: onnx.ModelProto,
    manual: Mapping[str, tuple[float, float]],
    *,
    half: HalfType | None = None,
) -> AdoptedModel:
    """Repair a quantized model in place, lay manual ranges over its own, and account for both.

    With `half`, scales are rounded up to what that type can hold.

    Raises:
        StepInputError: something cannot be repaired; names the node and the reason.
    """
    editor = Editor(model)
    linears = read_linears(editor.view)
    streams = list(find_streams(editor.view, linears))
    done = [repair_stored(editor, stored) for stored in find_stored_constants(editor.view, linears)]
    done += [repair_stream(editor, stream) for stream in streams]
    own = {stream.tensor: _range(stream) for stream in streams}
    ranges = Ranges(tensors=own).override(manual, editor.view.activations)
    tensors = tuple(_set_range(editor, stream, ranges, half) for stream in streams)
    editor.finish()
    if half is not None:
        _round_scales(model, half)
    view = GraphView(model)
    left = read_linears(view)
    return AdoptedModel(
        ranges=ranges,
        repairs=tuple(each for each in done if each is not None),
        layers=tuple(list_requested_layers(view, left)),
        tensors=tensors,
        weights=tuple(
            WeightAccount(
                name=stored.tensor,
                axis=stored.dequantizer.axis if stored.dequantizer.scale.size > 1 else None,
                channels=stored.dequantizer.scale.size,
            )
            for stored in find_stored_constants(view, left)
        ),
    )


def _range(stream: QuantizedStream) -> Range:
    """Return what a stream's numbers span; -127 to 127 where INT8 is symmetric, as for ours."""
    first = stream.linears[0]
    low, high = compute_bounds(first)
    if first.symmetric and (into := find_type_of_onnx(first.dtype)) is not None:
        high = float(first.scale.max()) * into.largest
        low = -high
    return Range(low=low, high=high, origin="imported")


def _round_scales(model: onnx.ModelProto, half: HalfType) -> None:
    """Let every node of a pair read a scale that a 16-bit type can hold, in the type that it was.

    A scale that is rounded where the data is 16-bit, and is not where it is float32, would make
    two of the ends of a pair.
    """
    import numpy as np

    editor = Editor(model)
    made: dict[str, str] = {}
    for index, linear in read_linears(editor.view).items():
        rounded = round_up(linear.scale.astype(np.float32), half)
        if linear.dtype in FOREIGN or (rounded == linear.scale).all():
            continue
        name = editor.view.nodes[index].input[1]
        if name not in made:
            made[name] = editor.constant(f"{name}_{half.name}", rounded.astype(linear.scale.dtype))
        editor.read((index, 1), made[name])
    editor.finish()


def _set_range(
    editor: Editor, stream: QuantizedStream, ranges: Ranges, half: HalfType | None
) -> TensorAccount:
    """Write a manual range into a stream; account for it, manual or its own."""
    found = ranges.tensors[stream.tensor]
    first = stream.linears[0]
    half, into = find_half(first.scale.dtype.name) or half, find_type_of_onnx(first.dtype) or INT8
    scale = compute_scale(compute_symmetric_scale(first) * into.largest, half, into)
    if found.origin == "manual" and not explain_unusable(found.limit, half, into):
        scale = compute_scale(found.limit, half, into)
        rescale(editor, stream, scale, into)
    return TensorAccount(
        name=stream.tensor,
        limit=scale * into.largest,
        scale=scale,
        readers=_readers(editor.view, stream),
    )


def _readers(view: GraphView, stream: QuantizedStream) -> tuple[str, ...]:
    sites = [
        site
        for linear in stream.dequantizers
        for site in view.readers.get(view.nodes[linear.index].output[0], ())
    ]
    return tuple(dict.fromkeys(name_of(view.nodes[index]) for index, _ in sorted(sites)))
