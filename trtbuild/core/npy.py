"""An array as .npy has it: which are taken, their header, where one lies in an archive."""

from __future__ import annotations

import math
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:  # a plan, which has no arrays, loads this with the names of their classes
    import zipfile

    import numpy as np

__all__ = ["SUFFIX", "locate_entry", "make_header", "make_plain"]

SUFFIX = ".npy"
_KINDS = "biuf"


def make_plain(name: str, array: np.ndarray) -> np.ndarray:
    """Return the array C-contiguous and little endian.

    Raises:
        ValueError: it does not hold plain numbers.
    """
    import numpy as np

    if array.dtype.kind not in _KINDS:
        raise ValueError(f"{name}: {array.dtype} is not a dtype of plain numbers")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def make_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the .npy header (format 1.0), padded to 64 bytes."""
    text = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': {shape!r}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def locate_entry(
    file: IO[bytes], info: zipfile.ZipInfo
) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Return dtype, shape and where in the file the numbers of an entry begin.

    Raises:
        ValueError: it is packed, no .npy of format 1.0, or not as long as its header says.
    """
    import zipfile

    import numpy as np

    if info.compress_type != zipfile.ZIP_STORED or not info.filename.endswith(SUFFIX):
        raise ValueError(f"{info.filename} is not an uncompressed .npy")
    file.seek(info.header_offset + 26)  # the local header's name and extra-field lengths
    lengths = file.read(4)
    skip = int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    start = info.header_offset + 30 + skip
    file.seek(start)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"{info.filename} is not an .npy of format 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    offset = file.tell()
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind not in _KINDS or fortran or offset + size != start + info.file_size:
        raise ValueError(f"{info.filename} does not hold what its header says")
    return dtype, shape, offset
