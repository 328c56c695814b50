"""NumPy's npy format, read a sample at a time and never through pickle."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ArrayReader", "bytes_of_array"]

MOST_BYTES = 2**30
"""A single sample that claims more is refused."""
NUMBERS = "biuf"
"""Kinds of dtype that a model may take: booleans, integers, floats."""


@dataclass
class ArrayReader:
    """An array in an open file, of which axis 0 counts the samples.

    Memory holds one sample, whatever their number; only an array in Fortran order, in which a
    sample's values lie apart, is read whole.
    """

    where: str
    """The file, and the array in it, for messages."""
    file: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _whole: NDArray[Any] | None = None
    _next: int = 0

    def read(self, index: int) -> NDArray[Any]:
        """Return one sample in the machine's byte order; indexes must not go down.

        Raises:
            StepInputError: the file ends before it.
        """
        import numpy as np

        if self._whole is not None:
            return np.ascontiguousarray(self._whole[index])
        size = self.dtype.itemsize * math.prod(self.shape[1:])
        _skip(self.file, (index - self._next) * size)
        self._next = index + 1
        data = _read(self.file, size, self.where)
        array = np.frombuffer(data, self.dtype).reshape(self.shape[1:])
        return array.astype(self.dtype.newbyteorder("="), copy=False)

    def whole(self) -> NDArray[Any]:
        """Return the array with all its samples, or a single number; nothing may be read before."""
        import numpy as np

        if self._whole is not None:
            return self._whole
        data = _read(self.file, self.dtype.itemsize * math.prod(self.shape), self.where)
        array = np.frombuffer(data, self.dtype).reshape(self.shape)
        return array.astype(self.dtype.newbyteorder("="), copy=False)

    @classmethod
    def of(cls, file: IO[bytes], *, size: int, where: str) -> ArrayReader:
        """Read the header of an npy file of `size` bytes and check what it declares against them.

        Raises:
            StepInputError: it is none, is cut short, or holds what no model takes.
        """
        import numpy as np

        shape, fortran, dtype, header = _header(file, where)
        if dtype.kind not in NUMBERS:
            raise StepInputError(
                f"{where}: holds {_kind(dtype)}; numbers are needed",
                hint="save plain arrays: array.astype('float32'); pickled objects are never read",
            )
        declared = header + dtype.itemsize * math.prod(shape)
        if declared != size:
            raise StepInputError(
                f"{where}: declares {dtype} of shape {list(shape)}, {declared} bytes in all,"
                f" and is {size} bytes long",
                hint="it is cut short or damaged; save it again",
            )
        _demand_sane(dtype.itemsize * math.prod(shape[1:]), where)
        reader = cls(where, file, shape, dtype)
        if fortran and len(shape) > 1:
            data = _read(file, declared - header, where)
            whole = np.frombuffer(data, dtype).reshape(shape, order="F")
            reader._whole = whole.astype(dtype.newbyteorder("="), copy=False)
        return reader


def bytes_of_array(array: NDArray[Any]) -> bytes:
    """Return an npy file's bytes; equal arrays give equal bytes."""
    import numpy as np

    file = io.BytesIO()
    # C order in every case: the format has two ways to write the same array.
    contiguous = np.asarray(array, order="C")
    np.lib.format.write_array(file, contiguous, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    from numpy.lib import format as npy

    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    try:
        version = npy.read_magic(file)
        shape, fortran, dtype = readers[version](file)
        header = file.tell()
    except KeyError:
        raise StepInputError(f"{where}: is of an npy version that is not read") from None
    except Exception as error:  # NumPy raises nearly anything on a damaged header
        raise StepInputError(
            f"{where}: is not an npy array, or its header is damaged: {error}",
            hint="save it again with numpy.save or numpy.savez",
        ) from error
    if any(length < 0 for length in shape):
        raise StepInputError(f"{where}: declares a shape with a negative length: {list(shape)}")
    return shape, fortran, dtype, header


def _kind(dtype: np.dtype[Any]) -> str:
    return "pickled objects" if dtype.hasobject else f"values of type {dtype}"


def _demand_sane(size: int, where: str) -> None:
    if size > MOST_BYTES:
        raise StepInputError(
            f"{where}: declares {size} bytes a sample; more than {MOST_BYTES} are refused",
            hint="axis 0 must count the samples",
        )


def _skip(file: IO[bytes], size: int) -> None:
    if size:
        file.seek(size, io.SEEK_CUR)


def _read(file: IO[bytes], size: int, where: str) -> bytearray:
    data = bytearray()
    while len(data) < size:
        piece = file.read(size - len(data))
        if not piece:
            raise StepInputError(f"{where}: ends before its last sample", hint="save it again")
        data += piece
    return data
