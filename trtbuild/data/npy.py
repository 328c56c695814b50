"""NumPy's npy format, read a sample at a time and never through pickle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import quote_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ArrayReader"]

MOST_BYTES = 2**30
"""What is held in memory at once (a sample, or an array in Fortran order) may claim no more."""
PIECE_BYTES = 2**20
AGAIN = "save it again with numpy.save or numpy.savez"
NUMBERS = "biuf"
"""Kinds of dtype that a model may take: booleans, integers, floats."""


@dataclass
class ArrayReader:
    """An array in an open file, of which axis 0 counts the samples.

    To read samples takes the memory of one, whatever their number; only an array in Fortran order,
    in which a sample's values lie apart, is read whole, as any is by `whole`.
    """

    where: str
    """The file, and the array in it, for messages."""
    file: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _whole: NDArray[Any] | None = None
    _next: int = 0

    def read(self, index: int) -> NDArray[Any]:
        """Return one sample in the machine's byte order; indexes must go up.

        Raises:
            StepInputError: the file ends before it.
        """
        import numpy as np

        if self._whole is not None:
            return np.ascontiguousarray(self._whole[index])
        size = self.dtype.itemsize * math.prod(self.shape[1:])
        self._skip((index - self._next) * size)
        self._next = index + 1
        data = _read(self.file, size, self.where)
        array = np.frombuffer(data, self.dtype).reshape(self.shape[1:])
        return array.astype(self.dtype.newbyteorder("="), copy=False)

    def whole(self) -> NDArray[Any]:
        """Return all samples, of which none was read before.

        Raises:
            StepInputError: the file ends before them, or they are too much for memory.
        """
        import numpy as np

        if self._whole is not None:
            return np.ascontiguousarray(self._whole)
        size = self.dtype.itemsize * math.prod(self.shape)
        _demand_sane(size, self.where, "run the model on fewer samples at once")
        data = _read(self.file, size, self.where)
        self.finish()
        array = np.frombuffer(data, self.dtype).reshape(self.shape)
        return array.astype(self.dtype.newbyteorder("="), copy=False)

    def finish(self) -> None:
        """Read to the end of the file: a zip archive checks its sum there."""
        self._skip(None)

    def _skip(self, size: int | None) -> None:
        # By reading, since a seek switches the archive's check off.
        while size is None or size > 0:
            piece = self.file.read(PIECE_BYTES if size is None else min(size, PIECE_BYTES))
            if not piece:
                return
            size = None if size is None else size - len(piece)

    @classmethod
    def of(cls, file: IO[bytes], *, size: int, where: str) -> ArrayReader:
        """Read the header of an npy file of `size` bytes and check what it declares against them.

        Raises:
            StepInputError: it is none, is cut short, or holds what no model takes.
        """
        import numpy as np

        shape, fortran, dtype, header = _header(file, where)
        _demand_numbers(dtype, where)
        whole = header + dtype.itemsize * math.prod(shape)
        if whole != size:
            raise StepInputError(
                f"{where}: declares {dtype} of shape {list(shape)}, which takes {whole} bytes,"
                f" and is {size} bytes long",
                hint="it is cut short or damaged: " + AGAIN,
            )
        reader = cls(where, file, shape, dtype)
        if fortran and len(shape) > 1:
            _demand_sane(whole, where, "save it in C order: numpy.ascontiguousarray(array)")
            data = np.frombuffer(_read(file, whole - header, where), dtype)
            data = data.astype(dtype.newbyteorder("="), copy=False)
            reader._whole = data.reshape(shape, order="F")
        else:
            size = dtype.itemsize * math.prod(shape[1:])
            _demand_sane(size, where, "axis 0 must count the samples")
        return reader


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    from numpy.lib import format as npy

    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    try:
        version = npy.read_magic(file)
        shape, fortran, dtype = readers[version](file)
        header = file.tell()
    except KeyError:
        raise StepInputError(f"{where}: is of an unknown npy version", hint=AGAIN) from None
    except Exception as error:  # NumPy raises nearly anything on a damaged header
        raise StepInputError(
            f"{where}: is not an npy array, or its header is damaged: {quote_whole(str(error))}",
            hint=AGAIN,
        ) from error
    if any(length < 0 for length in shape):
        raise StepInputError(f"{where}: declares the shape {list(shape)}", hint=AGAIN)
    return shape, fortran, dtype, header


def _demand_numbers(dtype: np.dtype[Any], where: str) -> None:
    if dtype.kind not in NUMBERS:
        held = "pickled objects" if dtype.hasobject else f"values of type {dtype}"
        raise StepInputError(
            f"{where}: holds {held}; numbers are needed",
            hint="save plain arrays: array.astype('float32'); pickled objects are never read",
        )


def _demand_sane(size: int, where: str, hint: str) -> None:
    if size > MOST_BYTES:
        raise StepInputError(
            f"{where}: takes {size} bytes of memory at once; more than {MOST_BYTES} are refused",
            hint=hint,
        )


def _read(file: IO[bytes], size: int, where: str) -> bytearray:
    data = bytearray()
    while len(data) < size:
        piece = file.read(size - len(data))
        if not piece:
            raise StepInputError(f"{where}: ends before its last sample", hint=AGAIN)
        data += piece
    return data
