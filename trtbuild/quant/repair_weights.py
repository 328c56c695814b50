"""Repair the constants that a quantized model stores: weights and biases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.quant.axes import output_axis
from trtbuild.quant.editor import Editor
from trtbuild.quant.existing import Linear, Stored
from trtbuild.quant.folding import value_of
from trtbuild.quant.repairs import FOREIGN, Repair, demand_int8, positive
from trtbuild.quant.weights import quantize_weight

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["repair_stored"]


def repair_stored(editor: Editor, stored: Stored) -> Repair | None:
    """Repair one dequantized constant, if it needs it.

    Raises:
        StepInputError: it is of a type that TensorRT does not take, or not finite.
    """
    linear = stored.dequantizer
    if linear.dtype in FOREIGN:
        return None
    if linear.dtype == "int32":
        return _fold(editor, stored, "fold_bias")
    demand_int8(linear)
    if not editor.view.dims(stored.tensor):
        return _fold(editor, stored, "fold_constant")
    axis = output_axis(editor.view, editor.view.nodes[linear.index].output[0])
    fits = axis is None or linear.scale.size == 1 or axis == linear.axis
    ends = (linear,) if stored.quantizer is None else (linear, stored.quantizer)
    if fits and all(end.dtype == "int8" and end.symmetric and positive(end.scale) for end in ends):
        return None
    if axis is None:
        return _fold(editor, stored, "fold_constant")
    return _store_anew(editor, stored, axis)


def _fold(editor: Editor, stored: Stored, fix: str) -> Repair:
    """Let the readers of a constant read the floats that it means."""
    floats = _floats(editor, stored).astype(stored.dequantizer.scale.dtype)
    _read_instead(editor, stored.dequantizer, editor.constant(f"{stored.tensor}_float", floats))
    return Repair(fix, stored.tensor)


def _store_anew(editor: Editor, stored: Stored, axis: int) -> Repair:
    """Quantize what the constant means by our own rules, and let its readers read that."""
    import numpy as np

    linear, name = stored.dequantizer, stored.tensor
    floats = _floats(editor, stored).astype(np.float32)
    try:
        found = quantize_weight(floats, axis)
    except ValueError as error:
        raise StepInputError(f"weight `{name}` {error}", hint="export the model again") from None
    scales = found.scales.astype(linear.scale.dtype)
    operands = [
        editor.constant(f"{name}_quantized", found.values),
        editor.constant(f"{name}_scale", scales),
        editor.constant(f"{name}_zero_point", np.zeros(scales.shape, np.int8)),
    ]
    result = editor.node_before(
        linear.index,
        "DequantizeLinear",
        f"{name}_dequantize",
        operands,
        f"{name}_dequantized",
        axis=axis,
    )
    _read_instead(editor, linear, result)
    return Repair("requantize_weight", name)


def _floats(editor: Editor, stored: Stored) -> npt.NDArray[np.float64]:
    """Return what the constant means: (q - zero) · scale, or its own floats."""
    import numpy as np

    values = value_of(editor.view, stored.tensor).astype(np.float64)
    if stored.quantizer is not None:
        return values
    linear = stored.dequantizer
    zero, scale = (
        _along(parameter.astype(np.float64), values.ndim, linear.axis)
        for parameter in (linear.zero, linear.scale)
    )
    return (values - zero) * scale


def _along(parameter: npt.NDArray[np.float64], rank: int, axis: int) -> npt.NDArray[np.float64]:
    """Shape a scale or zero point so that it broadcasts along `axis` of a tensor."""
    if parameter.size == 1:
        return parameter.reshape(())
    return parameter.reshape([-1 if i == axis % rank else 1 for i in range(rank)])


def _read_instead(editor: Editor, linear: Linear, tensor: str) -> None:
    result = editor.view.nodes[linear.index].output[0]
    for site in editor.view.readers.get(result, ()):
        editor.read(site, tensor)
