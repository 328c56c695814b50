"""Repair the Q/DQ pairs that a quantized model has around its activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.quant.editor import Editor
from trtbuild.quant.existing import Linear, Stream
from trtbuild.quant.repairs import FOREIGN, Repair, demand_int8, positive

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["repair_stream", "rescale"]

CENTRE = 128
"""The zero point with which uint8 says what int8 says with 0."""


def repair_stream(editor: Editor, stream: Stream) -> Repair | None:
    """Repair one quantized activation, if it needs it.

    Raises:
        StepInputError: its scale is not one, its ends disagree, or it cannot be made symmetric.
    """
    first = stream.linears[0]
    if first.dtype in FOREIGN:
        return None
    for linear in stream.linears:
        demand_int8(linear)
        _demand_same(first, linear)
    if not positive(first.scale):
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
    return _recoded(editor, stream, first)


def _recoded(editor: Editor, stream: Stream, first: Linear) -> Repair:
    """Make int8 around 0 of uint8, or of int8 around something else."""
    if stream.quantizer is None or first.scale.size > 1:
        raise StepInputError(
            f"`{first.name}` takes {first.dtype} integers with zero point {first.zero.flat[0]}, "
            "and no QuantizeLinear with a single scale makes them: TensorRT takes int8 around 0",
            hint="export the model with symmetric INT8",
        )
    scale, zero = float(first.scale.flat[0]), int(first.zero.flat[0])
    if (first.dtype, zero) == ("uint8", CENTRE):
        rescale(editor, stream, scale)
        return Repair("recode_int8", stream.tensor)
    lowest = 0 if first.dtype == "uint8" else -128
    limit = max(zero - lowest, lowest + 255 - zero) * scale
    rescale(editor, stream, limit / 127)
    return Repair("make_symmetric", stream.tensor)


def rescale(editor: Editor, stream: Stream, scale: float) -> None:
    """Give every node of a stream one scalar scale, and int8 with zero point 0."""
    import numpy as np

    dtype = stream.linears[0].scale.dtype
    operands = [
        editor.constant(f"{stream.tensor}_scale", np.array(scale, dtype)),
        editor.constant(f"{stream.tensor}_zero_point", np.array(0, np.int8)),
    ]
    for linear in stream.linears:
        for slot, operand in enumerate(operands, start=1):
            editor.read((linear.index, slot), operand)
        editor.drop_attribute(linear.index, "output_dtype")
    for tensor in stream.integers:
        editor.forget_type(tensor)


def _demand_same(one: Linear, other: Linear) -> None:
    if one.dtype == other.dtype and _same(one.scale, other.scale) and _same(one.zero, other.zero):
        return
    ends = [
        f"`{end.name}` has scale {end.scale.flat[0]:g} and zero point {end.zero.flat[0]} "
        f"({end.dtype})"
        for end in (one, other)
    ]
    raise StepInputError(
        f"{ends[0]}, but {ends[1]}: the ends of a pair must agree",
        hint="quantize the model again; TensorRT takes such a pair without a word",
    )


def _same(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> bool:
    return one.ravel().tolist() == other.ravel().tolist()
