"""Accept a model that is quantized already: repair it, and account for it as for our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.core.values import Range, Ranges
from trtbuild.model.editor import Editor
from trtbuild.model.nodes import name_of
from trtbuild.model.view import View
from trtbuild.quant.account import LayerAccount, TensorAccount, WeightAccount
from trtbuild.quant.adopting.repair_activations import (
    bounds_of,
    repair_stream,
    rescale,
    symmetric_scale,
)
from trtbuild.quant.adopting.repair_weights import repair_stored
from trtbuild.quant.adopting.repairs import FOREIGN, Repair
from trtbuild.quant.asked import layers_asked
from trtbuild.quant.existing import Stream, linears_of, stored_of, streams_of
from trtbuild.quant.half_types import Half, rounded_up
from trtbuild.quant.limits import scale_of, unusable

if TYPE_CHECKING:
    import onnx

__all__ = ["Adopted", "adopt"]


@dataclass(frozen=True)
class Adopted:
    """What a quantized model brought along, and what had to be repaired."""

    ranges: Ranges
    repairs: tuple[Repair, ...]
    layers: tuple[LayerAccount, ...]
    tensors: tuple[TensorAccount, ...]
    weights: tuple[WeightAccount, ...]


def adopt(
    model: onnx.ModelProto, manual: Mapping[str, tuple[float, float]], *, half: Half | None = None
) -> Adopted:
    """Repair a quantized model in place, lay manual ranges over its own, and account for both.

    With `half`, scales are rounded up to what that type can hold.

    Raises:
        StepInputError: something cannot be repaired; names the node and the reason.
    """
    editor = Editor(model)
    linears = linears_of(editor.view)
    streams = list(streams_of(editor.view, linears))
    done = [repair_stored(editor, stored) for stored in stored_of(editor.view, linears)]
    done += [repair_stream(editor, stream) for stream in streams]
    own = {stream.tensor: _range(stream) for stream in streams}
    ranges = Ranges(tensors=own).override(manual, editor.view.activations)
    tensors = tuple(_set_range(editor, stream, ranges, half) for stream in streams)
    editor.finish()
    if half is not None:
        _round_scales(model, half)
    view = View(model)
    left = linears_of(view)
    return Adopted(
        ranges=ranges,
        repairs=tuple(each for each in done if each is not None),
        layers=tuple(layers_asked(view, left)),
        tensors=tensors,
        weights=tuple(
            WeightAccount(
                name=stored.tensor,
                axis=stored.dequantizer.axis if stored.dequantizer.scale.size > 1 else None,
                channels=stored.dequantizer.scale.size,
            )
            for stored in stored_of(view, left)
        ),
    )


def _range(stream: Stream) -> Range:
    """Return what a stream's integers span; -127 to 127 where they are symmetric, as for ours."""
    first = stream.linears[0]
    low, high = bounds_of(first)
    if first.symmetric and first.dtype == "int8":
        high = float(first.scale.max()) * 127
        low = -high
    return Range(low=low, high=high, origin="imported")


def _round_scales(model: onnx.ModelProto, half: Half) -> None:
    """Let every node of a pair read a scale that a 16-bit type can hold, in the type that it was.

    A scale that is rounded where the data is 16-bit, and is not where it is float32, would make
    two of the ends of a pair.
    """
    import numpy as np

    editor = Editor(model)
    made: dict[str, str] = {}
    for index, linear in linears_of(editor.view).items():
        rounded = rounded_up(linear.scale.astype(np.float32), half)
        if linear.dtype in FOREIGN or (rounded == linear.scale).all():
            continue
        name = editor.view.nodes[index].input[1]
        if name not in made:
            made[name] = editor.constant(f"{name}_{half.name}", rounded.astype(linear.scale.dtype))
        editor.read((index, 1), made[name])
    editor.finish()


def _set_range(editor: Editor, stream: Stream, ranges: Ranges, half: Half | None) -> TensorAccount:
    """Write a manual range into a stream; account for it, manual or its own."""
    found = ranges.tensors[stream.tensor]
    scale = scale_of(symmetric_scale(stream.linears[0]) * 127, half)
    if found.origin == "manual" and not unusable(found.limit, half):
        scale = scale_of(found.limit, half)
        rescale(editor, stream, scale)
    return TensorAccount(
        name=stream.tensor,
        limit=scale * 127,
        scale=scale,
        readers=_readers(editor.view, stream),
    )


def _readers(view: View, stream: Stream) -> tuple[str, ...]:
    sites = [
        site
        for linear in stream.dequantizers
        for site in view.readers.get(view.nodes[linear.index].output[0], ())
    ]
    return tuple(dict.fromkeys(name_of(view.nodes[index]) for index, _ in sorted(sites)))
