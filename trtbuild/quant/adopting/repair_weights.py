"""Repair the constants that a quantized model stores: weights and biases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.model.editor import Editor
from trtbuild.model.folding import fold_value
from trtbuild.quant.adopting.repairs import FOREIGN, Repair, demand_int8, demand_same, is_positive
from trtbuild.quant.axes import find_output_axis
from trtbuild.quant.half_types import find_half
from trtbuild.quant.quantized_graph import LinearNode, StoredConstant
from trtbuild.quant.writing.weights import quantize_weight

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["repair_stored"]

INT8 = (-128, 127)
INTEGERS = {"int8": INT8, "uint8": (0, 255), "int32": (-(2**31), 2**31 - 1)}
"""Type → its least and greatest integer."""


def repair_stored(editor: Editor, stored: StoredConstant) -> Repair | None:
    """Repair one dequantized constant, if it needs it.

    Raises:
        StepInputError: it is of a type that TensorRT does not take, not finite, or its pair's ends
            disagree.
    """
    linear = stored.dequantizer
    if linear.dtype in FOREIGN:
        return None
    if linear.dtype == "int32":
        return _fold(editor, stored, "fold_bias")
    demand_int8(linear)
    if not editor.view.dims(stored.tensor):
        return _fold(editor, stored, "fold_constant")
    axis = find_output_axis(editor.view, editor.view.nodes[linear.index].output[0])
    if stored.quantizer is not None:
        demand_same(linear, stored.quantizer)
    fits = is_positive(linear.scale) and (linear.scale.size == 1 or axis in {None, linear.axis})
    if fits and linear.dtype == "int8" and linear.symmetric:
        return None
    if axis is None:
        return _fold(editor, stored, "fold_constant")
    return (_recode(editor, stored) if fits else None) or _store_anew(editor, stored, axis)


def _fold(editor: Editor, stored: StoredConstant, fix: str) -> Repair:
    """Let the readers of a constant read the floats that it means."""
    floats = _compute_meant(editor, stored).astype(stored.dequantizer.scale.dtype)
    _read_instead(editor, stored.dequantizer, editor.constant(f"{stored.tensor}_float", floats))
    return Repair(fix, stored.tensor)


def _store_anew(editor: Editor, stored: StoredConstant, axis: int) -> Repair:
    """Quantize what the constant means by our own rules, and let its readers read that."""
    import numpy as np

    linear, name = stored.dequantizer, stored.tensor
    floats = _compute_unrounded(editor, stored).astype(np.float32)
    try:
        found = quantize_weight(floats, axis, half=find_half(linear.scale.dtype.name))
    except ValueError as error:
        raise StepInputError(f"weight `{name}` {error}", hint="export the model again") from None
    _store(editor, stored, found.values, found.scales.astype(linear.scale.dtype), axis)
    return Repair("requantize_weight", name)


def _recode(editor: Editor, stored: StoredConstant) -> Repair | None:
    """Write the constant's integers around 0, by the same scales; None where int8 has not all."""
    import numpy as np

    integers = _integers(editor, stored)
    if not (integers.min() >= INT8[0] and integers.max() <= INT8[1]):  # NaN is neither
        return None
    linear = stored.dequantizer
    scales = linear.scale.reshape(()) if linear.scale.size == 1 else linear.scale
    _store(editor, stored, integers.astype(np.int8), scales, linear.axis)
    return Repair("recode_weight", stored.tensor)


def _store(
    editor: Editor,
    stored: StoredConstant,
    integers: npt.NDArray[np.generic],
    scales: npt.NDArray[np.floating],
    axis: int,
) -> None:
    """Let the readers of a constant read these integers, dequantized around 0."""
    linear, name = stored.dequantizer, stored.tensor
    stored_as = editor.constant(f"{name}_quantized", integers)
    operands = [stored_as, *editor.parameters(name, scales)]
    along = axis if scales.ndim else None
    _read_instead(editor, linear, editor.dequantize_before(linear.index, name, operands, along))


def _integers(editor: Editor, stored: StoredConstant) -> npt.NDArray[np.float64]:
    """Return the constant's integers, less their zero points: q - zero."""
    import numpy as np

    values = fold_value(editor.view, stored.tensor)
    zero, scale = _parameters(stored, values.ndim)
    if stored.quantizer is None:
        return values.astype(np.float64) - zero
    # In float32, as QuantizeLinear divides.
    steps = np.rint(values.astype(np.float32) / scale.astype(np.float32)).astype(np.float64)
    low, high = INTEGERS[stored.dequantizer.dtype]
    return np.clip(steps + zero, low, high) - zero


def _compute_meant(editor: Editor, stored: StoredConstant) -> npt.NDArray[np.float64]:
    """Return what the constant means: (q - zero) · scale; its own floats where scales are none."""
    import numpy as np

    values = fold_value(editor.view, stored.tensor)
    if stored.quantizer is not None and not is_positive(stored.dequantizer.scale):
        return values.astype(np.float64)
    return _integers(editor, stored) * _parameters(stored, values.ndim)[1]


def _compute_unrounded(editor: Editor, stored: StoredConstant) -> npt.NDArray[np.float64]:
    """Return what the constant means, of floats before they are rounded, but for what is cut off.

    Training may have chosen what to cut off, and rounding twice would only lose.
    """
    import numpy as np

    if stored.quantizer is None or not is_positive(stored.dequantizer.scale):
        return _compute_meant(editor, stored)
    values = fold_value(editor.view, stored.tensor).astype(np.float64)
    zero, scale = _parameters(stored, values.ndim)
    low, high = INTEGERS[stored.dequantizer.dtype]
    return np.clip(values, (low - zero) * scale, (high - zero) * scale)


def _parameters(
    stored: StoredConstant, rank: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the zero points and scales, shaped to broadcast over the constant."""
    import numpy as np

    linear = stored.dequantizer
    zero, scale = (
        _reshape_along(parameter.astype(np.float64), rank, linear.axis)
        for parameter in (linear.zero, linear.scale)
    )
    return zero, scale


def _reshape_along(
    parameter: npt.NDArray[np.float64], rank: int, axis: int
) -> npt.NDArray[np.float64]:
    """Shape a scale or zero point so that it broadcasts along `axis` of a tensor."""
    if parameter.size == 1:
        return parameter.reshape(())
    return parameter.reshape([-1 if i == axis % rank else 1 for i in range(rank)])


def _read_instead(editor: Editor, linear: LinearNode, tensor: str) -> None:
    result = editor.view.nodes[linear.index].output[0]
    for site in editor.view.readers.get(result, ()):
        editor.read(site, tensor)
