"""What is observed of a run: where each tensor lies on the device, and of which type it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trtbuild.calib.on_gpu.tables import ObservedTensor
from trtbuild.core.errors import StepInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["observe_input", "observe_output"]

_HALF = {"float": False, "float32": False, "float16": True}


def observe_output(name: str, value: Any) -> ObservedTensor:
    """Return where an output of ONNX Runtime's lies.

    Raises:
        StepInputError: it holds no floats.
    """
    size = math.prod(value.shape())
    half = _demand_float(name, value.data_type().removeprefix("tensor(").removesuffix(")"))
    return ObservedTensor(value.data_ptr() if size else 0, size, half)


def observe_input(name: str, fed: NDArray[Any], address: int) -> ObservedTensor:
    """Return what lies at an address: an array that is fed.

    Raises:
        StepInputError: it holds no floats.
    """
    return ObservedTensor(address, fed.size, _demand_float(name, fed.dtype.name))


def _demand_float(name: str, dtype: str) -> bool:
    if dtype not in _HALF:
        raise StepInputError(f"`{name}` is {dtype}; only floating-point tensors have ranges")
    return _HALF[dtype]
