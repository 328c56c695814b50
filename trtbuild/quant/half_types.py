"""The 16-bit floating-point types: what they hold, and values in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from trtbuild.core.frozen import frozen
from trtbuild.core.onnx_types import OnnxType

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["HALVES", "QUANTIZED_TYPES", "HalfName", "HalfType", "find_half", "round_up"]

HalfName = Literal["fp16", "bf16"]


@frozen
class HalfType(OnnxType):
    """A 16-bit type: its names, its largest and its smallest normal value, where ONNX has it."""

    name: HalfName
    onnx_name: str
    """As in `tensor(float16)`."""
    largest: float
    smallest: float
    opset: int
    """The first opset whose Conv, Gemm and MatMul take it; 13 at least, as for Q/DQ."""
    quantized_opset: int
    """The first opset whose Q/DQ pairs take it too."""

    @property
    def safe(self) -> float:
        """The largest value that calibration may see: other data may show four times as much."""
        return self.largest / 4

    def cast(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Round values to the nearest of this type; what lies beyond it becomes the largest."""
        import numpy as np

        finite = np.where(np.isfinite(values), np.clip(values, -self.largest, self.largest), values)
        return finite.astype(self.dtype)


HALVES = {
    "fp16": HalfType("fp16", "float16", 65504.0, 2.0**-14, 13, 19),
    "bf16": HalfType("bf16", "bfloat16", float.fromhex("0x1.fep127"), 2.0**-126, 22, 22),
}


QUANTIZED_TYPES = {"float", *(half.onnx_name for half in HALVES.values())}
"""What a tensor's values may be in the model, in ONNX's words, for INT8 to stand for them."""


def find_half(dtype: str | None) -> HalfType | None:
    """Return the 16-bit type that ONNX and NumPy call so; None for any other."""
    return next((half for half in HALVES.values() if half.onnx_name == dtype), None)


def round_up(values: npt.NDArray[np.float32], half: HalfType | None) -> npt.NDArray[np.float32]:
    """Return the least values of a 16-bit type that are no less than these, as float32.

    A scale rounded to the nearest would clip the largest value of a tensor. TensorRT wants a scale
    in the type of the data, so it is rounded before anything is quantized by it: both types then
    hold the same scale.
    """
    import numpy as np

    if half is None:
        return values
    nearest = half.cast(values)
    bits = nearest.view(np.uint16) + (nearest.astype(np.float32) < values).astype(np.uint16)
    return bits.view(nearest.dtype).astype(np.float32)  # positive: the next number is the next bit
