"""A type of numbers that ONNX has, by its name there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["OnnxType"]


class OnnxType:
    """What a type is to ONNX and to NumPy."""

    onnx_name: str
    """As in `tensor(int8)`."""

    @property
    def element(self) -> int:
        """ONNX's number for it."""
        import onnx

        return int(onnx.TensorProto.DataType.Value(self.onnx_name.upper()))

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """NumPy's type for it; where NumPy has none, that of ml_dtypes, as onnx has it."""
        import onnx

        return onnx.helper.tensor_dtype_to_np_dtype(self.element)  # type: ignore[no-any-return]
