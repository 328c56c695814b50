"""Tensors as the protocol writes them: numbers in JSON, or bytes behind it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trtbuild.serve.problem import HttpProblem

if TYPE_CHECKING:
    import numpy as np

__all__ = ["is_served", "name_type", "read_bytes", "read_numbers", "read_shape", "write_numbers"]

_TYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}
_NAMES = {numpy_name: name for name, numpy_name in _TYPES.items()}
MOST_AXES = 32


def is_served(numpy_name: str) -> bool:
    """Tell whether numbers of a type can be asked for and answered: text and bfloat16 cannot."""
    return numpy_name in _NAMES


def name_type(numpy_name: str) -> str:
    """Return the protocol's name of a type; of one that it lacks, NumPy's in capitals."""
    return _NAMES.get(numpy_name, numpy_name.upper())


def read_shape(told: Any, name: str) -> tuple[int, ...]:
    """Return the shape that a request gives an input.

    Raises:
        HttpProblem: it is none.
    """
    sound = isinstance(told, list) and len(told) <= MOST_AXES
    if not sound or not all(type(size) is int and 0 <= size < 1 << 40 for size in told):
        raise HttpProblem(400, f"`shape` of input `{name}` is no list of sizes from 0 on")
    return tuple(told)


def read_numbers(data: Any, shape: tuple[int, ...], datatype: Any, name: str) -> np.ndarray:
    """Return an array of numbers in JSON, flat or nested.

    Raises:
        HttpProblem: they are not so many, or not of that type.
    """
    import numpy as np

    dtype = _find_type(datatype, name)
    if not isinstance(data, list):
        raise HttpProblem(400, f"input `{name}` has no `data`: a list of numbers")
    try:
        found = np.array(data)
        # NumPy calls a cast to a shorter integer one of the same kind, and wraps around there.
        if dtype.kind not in "fb" or not np.can_cast(found.dtype, dtype, "same_kind"):
            found = _read_whole(found, dtype, data)
        with np.errstate(over="raise"):
            made = found.astype(dtype)
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        raise HttpProblem(400, f"`data` of input `{name}` are no numbers of {datatype}") from None
    return _shape(made, shape, name)


def _read_whole(found: np.ndarray, dtype: np.dtype[Any], data: list[Any]) -> np.ndarray:
    """Return whole numbers as the type that is asked for, if it holds each of them.

    Raises:
        ValueError: it does not.
    """
    import numpy as np

    if found.size == 0:
        return found.astype(dtype)
    if dtype.kind in "iu" and found.dtype.kind in "fO":
        # Of whole numbers beyond int64, some of which are larger than float64 can tell apart.
        return _read_large(data, dtype)
    if found.dtype.kind not in "iub" or dtype.kind not in "iubf":
        raise ValueError("other numbers")
    if dtype.kind in "iu":
        ends = np.iinfo(dtype)
        if int(found.min()) < ends.min or int(found.max()) > ends.max:
            raise ValueError("too large")
    elif dtype.kind == "b" and not np.isin(found, (0, 1)).all():
        raise ValueError("neither true nor false")
    return found


def _read_large(data: list[Any], dtype: np.dtype[Any]) -> np.ndarray:
    import numpy as np

    if not all(type(value) is int for value in np.array(data, object).reshape(-1)):
        raise ValueError("other numbers")
    return np.array(data, dtype)


def read_bytes(data: bytes, shape: tuple[int, ...], datatype: Any, name: str) -> np.ndarray:
    """Return an array of little-endian bytes, in C order.

    Raises:
        HttpProblem: they are not so many.
    """
    import numpy as np

    dtype = _find_type(datatype, name)
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise HttpProblem(
            400,
            f"input `{name}` has {len(data)} bytes, and {datatype} {list(shape)} takes "
            f"{math.prod(shape) * dtype.itemsize}",
        )
    if dtype.kind == "b" and data.strip(b"\0\1"):
        raise HttpProblem(400, f"input `{name}` has bytes that are neither 0 nor 1, and is BOOL")
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)


def write_numbers(array: np.ndarray, name: str) -> list[Any]:
    """Return an array's numbers in C order, for JSON.

    Raises:
        HttpProblem: JSON has no words for some.
    """
    import numpy as np

    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise HttpProblem(
            400, f"output `{name}` holds NaN or infinity, which JSON lacks: ask for binary data"
        )
    found: list[Any] = array.reshape(-1).tolist()
    return found


def _find_type(datatype: Any, name: str) -> np.dtype[Any]:
    import numpy as np

    if not isinstance(datatype, str) or datatype not in _TYPES:
        known = ", ".join(_TYPES)
        raise HttpProblem(400, f"`datatype` of input `{name}` is none of {known}")
    return np.dtype(_TYPES[datatype])


def _shape(array: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    if array.size != math.prod(shape):
        raise HttpProblem(
            400,
            f"input `{name}` has {array.size} numbers, and {list(shape)} holds {math.prod(shape)}",
        )
    return array.reshape(shape)
