"""Repair the Q/DQ pairs that a quantized model has around its activations."""

from __future__ import annotations

from trtbuild.core.errors import StepInputError
from trtbuild.core.quantized_types import INT8, QuantizedType, find_type_of_onnx
from trtbuild.model.editor import Editor
from trtbuild.quant.adopting.repairs import FOREIGN, Repair, demand_int8, demand_same, is_positive
from trtbuild.quant.half_types import find_half, round_up
from trtbuild.quant.quantized_graph import LinearNode, QuantizedStream

__all__ = ["compute_bounds", "compute_symmetric_scale", "repair_stream", "rescale"]

NOT_NEGATIVE = frozenset({"Relu", "Sigmoid", "Softmax"})

CENTRE = 128
"""The zero point with which uint8 says what int8 says with 0."""


def repair_stream(editor: Editor, stream: QuantizedStream) -> Repair | None:
    """Repair one quantized activation, if it needs it.

    Raises:
        StepInputError: its scale is not one, its ends disagree, or it cannot be made symmetric.
    """
    first = stream.linears[0]
    if first.dtype in FOREIGN:
        return _repair_foreign(editor, stream, first)
    for linear in stream.linears:
        demand_int8(linear)
        demand_same(first, linear)
    if not is_positive(first.scale):
        raise StepInputError(
            f"the scale of `{stream.tensor}` at `{first.name}` is {first.scale.min():g}: TensorRT "
            "wants scales above 0, and takes a denormal or infinite one without a word",
            hint="quantize the model again with data that reaches this tensor",
        )
    if first.dtype == "int8" and first.symmetric:
        if first.scale.shape != (1,):
            return None
        rescale(editor, stream, float(first.scale[0]))
        return Repair("scalar_scale", stream.tensor)
    return _recode(editor, stream, first)


def _repair_foreign(editor: Editor, stream: QuantizedStream, first: LinearNode) -> Repair | None:
    """Make a scalar of a scale of shape [1], which computes in float as it does for INT8."""
    into = find_type_of_onnx(first.dtype)
    if into is None or first.scale.shape != (1,) or not first.symmetric:
        return None
    rescale(editor, stream, float(first.scale[0]), into)
    return Repair("scalar_scale", stream.tensor)


def _recode(editor: Editor, stream: QuantizedStream, first: LinearNode) -> Repair:
    """Make int8 around 0 of uint8, or of int8 around something else."""
    if stream.quantizer is None or first.scale.size > 1:
        raise StepInputError(
            f"`{first.name}` takes {first.dtype} integers with zero point {first.zero.flat[0]}, "
            "and no QuantizeLinear with a single scale makes them: TensorRT takes int8 around 0",
            hint="export the model with symmetric INT8",
        )
    rescale(editor, stream, compute_symmetric_scale(first))
    if _is_centred(first):
        return Repair("recode_int8", stream.tensor)
    _cut_off(editor, stream, first)
    return Repair("make_symmetric", stream.tensor)


def compute_bounds(linear: LinearNode) -> tuple[float, float]:
    """Return the least and greatest value that a node's integers mean."""
    scale, zero = float(linear.scale.flat[0]), int(linear.zero.flat[0])
    lowest = 0 if linear.dtype == "uint8" else -128
    return (lowest - zero) * scale, (lowest + 255 - zero) * scale


def compute_symmetric_scale(linear: LinearNode) -> float:
    """Return the scale with which int8 around 0 spans what a node's integers span."""
    if _is_centred(linear):
        return float(linear.scale.flat[0])
    low, high = compute_bounds(linear)
    return max(-low, high) / 127


def _is_centred(linear: LinearNode) -> bool:
    """Tell whether integers are around 0, or around what is 0 in uint8."""
    return int(linear.zero.flat[0]) == (CENTRE if linear.dtype == "uint8" else 0)


def _cut_off(editor: Editor, stream: QuantizedStream, first: LinearNode) -> None:
    """Cut values off where the old integers did.

    ONNX Runtime's quantizer removes a Relu or Clip that the range of the integers makes idle, so
    without this a model may lose its activations.
    """
    import numpy as np

    low, high = compute_bounds(first)
    maker = editor.view.producer(stream.tensor)
    if low == 0 and maker is not None and maker.op_type in NOT_NEGATIVE:
        return
    site = (first.index, 0)
    if low == 0:
        name, op, bounds = f"{stream.tensor}_relu", "Relu", []
    else:
        name, op = f"{stream.tensor}_clip", "Clip"
        bounds = [
            editor.constant(f"{stream.tensor}_{end}", np.array(bound, first.scale.dtype))
            for end, bound in (("low", low), ("high", high))
        ]
    operands = [stream.tensor, *bounds]
    editor.read(site, editor.node_before(first.index, op, name, operands, name))


def rescale(
    editor: Editor, stream: QuantizedStream, scale: float, into: QuantizedType = INT8
) -> None:
    """Give every node of a stream one scalar scale, and the type's 0 for its zero point."""
    import numpy as np

    dtype = stream.linears[0].scale.dtype
    [rounded] = round_up(np.array([scale], np.float32), find_half(dtype.name))
    operands = editor.parameters(stream.tensor, np.array(rounded, dtype), into.dtype)
    for linear in stream.linears:
        for slot, operand in enumerate(operands, start=1):
            editor.read((linear.index, slot), operand)
        editor.drop_attribute(linear.index, "output_dtype")
    for tensor in stream.integers:
        editor.forget_type(tensor)
