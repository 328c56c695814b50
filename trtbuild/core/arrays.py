"""Arrays in a file: deterministic .npz written as a stream, read lazily; never a pickle."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from trtbuild.core.errors import CorruptObject
from trtbuild.core.files import replace_whole
from trtbuild.core.npy import SUFFIX, locate_entry, make_header, make_plain

if TYPE_CHECKING:  # a plan, which has no arrays, loads this for the names of their classes
    import zipfile

    import numpy as np

__all__ = ["ArrayFile", "ArrayWriter", "RaggedRows", "write_npz"]

_SHAPES = "shapes/"
"""Before the name of an array whose rows differ in shape: a slash is in no encoded name."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_PIECE_BYTES = 1 << 20


class ArrayWriter:
    """An .npz being written; equal calls in equal order give equal bytes."""

    def __init__(self, archive: zipfile.ZipFile, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self._growing: dict[str, _Growing] = {}
        self._names: set[str] = set()

    def add(self, name: str, array: np.ndarray) -> None:
        """Write a whole array at once.

        Raises:
            ValueError: the name is taken, or the dtype is no plain number.
        """
        plain = make_plain(name, array)
        self._claim(name)
        self._write(quote(name, safe=""), plain)

    def append(self, name: str, rows: np.ndarray, *, ragged: bool = False) -> None:
        """Add rows to the end of an array, along axis 0; nothing stays in memory.

        Where rows may be `ragged`, their sizes may differ, and the array is read as `RaggedRows`.

        Raises:
            ValueError: the dtype, the number of axes or, unless ragged, the shape of a row differs
                from the rows before.
        """
        plain = make_plain(name, rows)
        if plain.ndim == 0:
            raise ValueError(f"{name}: a number has no axis 0; add rows of shape [n, ...]")
        growing = self._growing.get(name)
        if growing is None:
            self._claim(name)
            growing = self._growing[name] = _Growing(self._folder, plain)
        growing.append(name, plain, ragged=ragged)

    def finish(self) -> None:
        """Write the arrays that grew, in the order of their first rows."""
        for name, growing in self._growing.items():
            with self._entry(quote(name, safe=""), growing.nbytes) as entry:
                entry.write(make_header(growing.dtype, growing.shape))
                growing.pour(entry)
            if growing.shapes is not None:
                self._write(_SHAPES + quote(name, safe=""), growing.list_shapes())

    def close(self) -> None:
        """Drop the temporary files."""
        for growing in self._growing.values():
            growing.file.close()

    def _claim(self, name: str) -> None:
        if name in self._names:
            raise ValueError(f"{name}: is already in the file")
        self._names.add(name)

    def _write(self, encoded: str, plain: np.ndarray) -> None:
        with self._entry(encoded, plain.nbytes) as entry:
            entry.write(make_header(plain.dtype, plain.shape))
            entry.write(plain.data if plain.size else b"")

    def _entry(self, encoded: str, size_bytes: int) -> IO[bytes]:
        import zipfile

        # Fixed time, system and mode: the archive is a function of its arrays alone.
        info = zipfile.ZipInfo(encoded + SUFFIX, date_time=_LONG_AGO)
        info.create_system = 3
        info.external_attr = 0o644 << 16
        info.file_size = size_bytes + 1024  # an upper bound, header included: zip64 or not
        return self._archive.open(info, "w")


class _Growing:
    """Rows of one array, kept in an unnamed file until their number is known."""

    def __init__(self, folder: Path, first: np.ndarray) -> None:
        import tempfile

        self.dtype = first.dtype
        self.row = first.shape[1:]
        self.count = 0
        self.nbytes = 0
        self.shapes: list[tuple[int, ...]] | None = None
        """Of each row, once they differ."""
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115

    @property
    def shape(self) -> tuple[int, ...]:
        """As it is written: rows that differ lie one after the other."""
        if self.shapes is not None:
            return (self.nbytes // self.dtype.itemsize,)
        return (self.count, *self.row)

    def list_shapes(self) -> np.ndarray:
        import numpy as np

        return np.array(self.shapes, "<i8").reshape(self.count, len(self.row))

    def append(self, name: str, rows: np.ndarray, *, ragged: bool) -> None:
        row = rows.shape[1:]
        alike = row == self.row or (ragged and len(row) == len(self.row))
        if rows.dtype != self.dtype or not alike:
            raise ValueError(
                f"{name}: rows of {rows.dtype} {list(row)} "
                f"after rows of {self.dtype} {list(self.row)}"
            )
        if row != self.row and self.shapes is None:
            self.shapes = [self.row] * self.count
        if self.shapes is not None:
            self.shapes += [row] * rows.shape[0]
        if rows.size:
            self.file.write(rows.data)
        self.count += rows.shape[0]
        self.nbytes += rows.nbytes

    def pour(self, entry: IO[bytes]) -> None:
        import shutil

        self.file.seek(0)
        shutil.copyfileobj(self.file, entry, _PIECE_BYTES)


@contextlib.contextmanager
def write_npz(path: Path) -> Iterator[ArrayWriter]:
    """Write arrays into an uncompressed .npz, whole or not at all.

    A name may hold any character (it is percent-encoded in the archive), and equal arrays added
    in equal order give equal bytes.
    """
    import zipfile

    with (
        replace_whole(path) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive,
        contextlib.closing(ArrayWriter(archive, path.parent)) as writer,
    ):
        yield writer
        writer.finish()


class RaggedRows:
    """Rows of several shapes, with as many axes each; mapped, as other arrays are."""

    def __init__(self, values: np.ndarray, shapes: np.ndarray) -> None:
        """Take the values of all rows, one after the other, and the shape of each."""
        self._values = values
        self.shapes = [tuple(map(int, shape)) for shape in shapes]
        """Of each row."""
        self._ends = list(itertools.accumulate(map(math.prod, self.shapes), initial=0))
        if self._ends[-1] != values.size or any(size < 0 for row in self.shapes for size in row):
            raise ValueError("the rows do not fill the array")

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.shapes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of every value."""
        return self._values.dtype

    def row(self, index: int) -> np.ndarray:
        """Return a row."""
        values = self._values[self._ends[index] : self._ends[index + 1]]
        return values.reshape(self.shapes[index])


class ArrayFile:
    """An .npz made by `write_npz`; arrays are mapped, so only what is touched is read."""

    def __init__(self, path: Path) -> None:
        """Read the table of contents.

        Raises:
            CorruptObject: it is not such a file, or it is torn.
        """
        import zipfile

        self._path = path
        try:
            with zipfile.ZipFile(path) as archive, path.open("rb") as file:
                found = {
                    info.filename.removesuffix(SUFFIX): locate_entry(file, info)
                    for info in archive.infolist()
                }
        except Exception as error:  # NumPy raises nearly anything on a damaged header
            raise CorruptObject(f"{path}: cannot be read as arrays ({error})") from error
        self._arrays = {
            unquote(name): place for name, place in found.items() if not name.startswith(_SHAPES)
        }
        self._shapes = {
            unquote(name.removeprefix(_SHAPES)): place
            for name, place in found.items()
            if name.startswith(_SHAPES)
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays' names, in the order in which they were written."""
        return tuple(self._arrays)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return an array's shape without reading it."""
        return self._arrays[name][1]

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return an array's dtype without reading it."""
        return self._arrays[name][0]

    def count(self, name: str) -> int | None:
        """Return how many rows an array has, without reading it; None for a single number."""
        _, shape, _ = self._shapes.get(name, self._arrays[name])
        return shape[0] if shape else None

    def read_rows(self, name: str) -> np.ndarray | RaggedRows:
        """Return an array as `read` does, or its rows where they differ in shape.

        Raises:
            CorruptObject: the rows do not fill the array.
        """
        if name not in self._shapes:
            return self.read(name)
        try:
            return RaggedRows(self.read(name), self._map(self._shapes[name]))
        except (ValueError, TypeError) as error:
            raise CorruptObject(f"{self._path}: cannot be read as arrays ({error})") from error

    def read(self, name: str) -> np.ndarray:
        """Return an array, read-only; slices of it read only their part of the file."""
        return self._map(self._arrays[name])

    def _map(self, place: tuple[np.dtype[Any], tuple[int, ...], int]) -> np.ndarray:
        import numpy as np

        dtype, shape, offset = place
        if 0 in shape:
            return np.zeros(shape, dtype)
        return np.memmap(self._path, dtype, "r", offset, shape)
