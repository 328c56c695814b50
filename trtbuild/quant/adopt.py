"""Accept a model that is quantized already: repair it, and account for it as for our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trtbuild.core.values import Range, Ranges
from trtbuild.quant.account import LayerAccount, TensorAccount, WeightAccount
from trtbuild.quant.asked import layers_asked
from trtbuild.quant.editor import Editor
from trtbuild.quant.existing import Stream, linears_of, stored_of, streams_of
from trtbuild.quant.limits import scale_of, unusable
from trtbuild.quant.repair_activations import repair_stream, rescale
from trtbuild.quant.repair_weights import repair_stored
from trtbuild.quant.repairs import Repair, told
from trtbuild.quant.view import View, name_of

if TYPE_CHECKING:
    import onnx

__all__ = ["adopted_layers", "adopted_tensors", "adopted_weights", "repair", "set_ranges"]


def repair(model: onnx.ModelProto) -> Iterator[str]:
    """Repair a quantized model for TensorRT, in place, and say what was done.

    Raises:
        StepInputError: something cannot be repaired; names the node and the reason.
    """
    editor = Editor(model)
    linears = linears_of(editor.view)
    done: list[Repair | None] = [
        repair_stored(editor, stored) for stored in stored_of(editor.view, linears)
    ]
    done += [repair_stream(editor, stream) for stream in streams_of(editor.view, linears)]
    editor.finish()
    return told(each for each in done if each is not None)


def set_ranges(model: onnx.ModelProto, manual: Mapping[str, tuple[float, float]]) -> Ranges:
    """Read the ranges out of the pairs, lay manual ones over them, and write those back."""
    editor = Editor(model)
    streams = {
        stream.tensor: stream
        for stream in streams_of(editor.view, linears_of(editor.view))
        if stream.linears[0].scale.size == 1
    }
    ranges = Ranges(tensors={tensor: _range(stream) for tensor, stream in sorted(streams.items())})
    ranges = ranges.override(manual, editor.view.activations)
    for tensor, stream in streams.items():
        found = ranges.tensors[tensor]
        if found.origin == "manual" and not unusable(found.limit):
            rescale(editor, stream, scale_of(found.limit))
    editor.finish()
    return ranges


def adopted_layers(model: onnx.ModelProto) -> tuple[LayerAccount, ...]:
    """Say for every weighted node which precision the model asks for."""
    view = View(model)
    return tuple(layers_asked(view, linears_of(view)))


def adopted_tensors(model: onnx.ModelProto) -> tuple[TensorAccount, ...]:
    """List the quantized activations with the nodes that read them, in graph order."""
    view = View(model)
    return tuple(
        TensorAccount(
            name=stream.tensor,
            limit=_range(stream).limit,
            scale=float(stream.linears[0].scale.flat[0]),
            readers=_readers(view, stream),
        )
        for stream in streams_of(view, linears_of(view))
    )


def adopted_weights(model: onnx.ModelProto) -> tuple[WeightAccount, ...]:
    """List the quantized constants, in graph order."""
    view = View(model)
    return tuple(
        WeightAccount(
            name=stored.tensor,
            axis=stored.dequantizer.axis if stored.dequantizer.scale.size > 1 else None,
            channels=stored.dequantizer.scale.size,
        )
        for stored in stored_of(view, linears_of(view))
    )


def _range(stream: Stream) -> Range:
    limit = float(stream.linears[0].scale.max()) * 127
    return Range(low=-limit, high=limit, origin="imported")


def _readers(view: View, stream: Stream) -> tuple[str, ...]:
    sites = [
        site
        for linear in stream.dequantizers
        for site in view.readers.get(view.nodes[linear.index].output[0], ())
    ]
    return tuple(dict.fromkeys(name_of(view.nodes[index]) for index, _ in sorted(sites)))
