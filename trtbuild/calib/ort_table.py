"""ONNX Runtime's calibration table, in the three forms in which it is written: read.

`write_calibration_table` leaves three files:

- `calibration.flatbuffers`: a table with one field, a vector of tables of two strings, a tensor's
  name and its limit in decimals.
- `calibration.cache`: the same as `name limit` lines.
- `calibration.json`: `{"CLS": "TensorsData", "data": {name: {"lowest": ..., "highest": ...}}}`.

The first two hold a limit, not a scale; they come from max(highest, lowest), so that the limit of
a tensor whose values reach further down than up is too small (onnxruntime 1.32; up to 1.14 it was
the largest absolute value). The third holds both ends.

A flatbuffer gives its offsets as little-endian uint32 from where they stand. A table begins with
the distance back to its vtable (int32): uint16 of the vtable's size, the table's size, and the
place of each field in the table, 0 for none. A vector and a string begin with their length.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Mapping
from typing import Any

from trtbuild.calib.range_text import NUMBER, split_lines
from trtbuild.core.errors import RangeFileError
from trtbuild.core.words import quote_whole

__all__ = ["Bounds", "is_flatbuffer", "is_lines", "read_flatbuffer", "read_json", "read_lines"]

Bounds = tuple[float, float]
"""(low, high); (0, 0) where nothing is known."""

_NOTHING: Bounds = (0.0, 0.0)
_ODD = re.compile(r"[-+]?(nan|inf)", re.IGNORECASE)
_SHORT = 64
"""Characters of a number: more than any float64 needs."""
_ENTRY = 24
"""Bytes that an entry takes beside its name."""
_FIELDS = 16
"""More fields than a table has, or will have."""
_OFFSET = 4
_KEY, _VALUE = 0, 1


def is_flatbuffer(data: bytes) -> bool:
    """Tell whether bytes hold a table of one field, as no text does and no engine."""
    try:
        fields = _Flatbuffer(data).table(0)
    except (struct.error, ValueError):
        return False
    return b"\0" in data[:_OFFSET] and len(fields) <= 1


def is_lines(data: bytes) -> bool:
    """Tell whether every line is of the form `name limit`, with no colon before the number."""
    if b"\0" in data:
        return False
    rows = _rows(data.decode("utf-8-sig", "replace").split("\n"))
    return bool(rows) and all(
        name and not name.endswith(":") and _is_number(value) for name, value in rows
    )


def read_flatbuffer(data: bytes, *, file: str) -> dict[str, Bounds]:
    """Read `calibration.flatbuffers`; `file` is what messages call it.

    Raises:
        RangeFileError: it is damaged, or names a tensor twice.
    """
    reader = _Flatbuffer(data)
    rows: list[tuple[str, str]] = []
    try:
        fields = reader.table(0)
        entries = reader.vector(fields[0]) if fields and fields[0] else []
        room = len(data)
        for place in entries:
            key, value = _pair(reader, place)
            # Names that lie over each other, which no writer makes, could be long without end.
            room -= len(key) + _ENTRY
            if room < 0 or len(value) > _SHORT:
                raise ValueError("its strings overlap")  # noqa: TRY301  # told as the others are
            rows.append((key.decode(), value.decode()))
    except (struct.error, ValueError) as error:
        raise RangeFileError(
            f"{file}: is no calibration table of ONNX Runtime, or a damaged one: "
            f"{quote_whole(str(error))}"
        ) from None
    return _limits(rows, file)


def read_lines(data: bytes, *, file: str) -> dict[str, Bounds]:
    """Read `calibration.cache`, of which `is_lines` holds.

    Raises:
        RangeFileError: it names a tensor twice, or is not text.
    """
    return _limits(_rows(split_lines(data, file)), file)


def read_json(found: Mapping[str, Any], *, file: str) -> dict[str, Bounds]:
    """Read what `calibration.json` holds under `data`.

    Raises:
        RangeFileError: it has another form.
    """
    return {name: _ends(name, each, file) for name, each in found.items()}


def _rows(lines: Iterable[str]) -> list[tuple[str, str]]:
    found = (line.rstrip().rpartition(" ") for line in lines if line.strip())
    return [(name.rstrip(), value) for name, _, value in found]


def _limits(rows: Iterable[tuple[str, str]], file: str) -> dict[str, Bounds]:
    limits: dict[str, Bounds] = {}
    for name, text in rows:
        if name in limits:
            raise RangeFileError(f"{file}: `{name}` stands there twice", hint="remove one of them")
        if not name or not _is_number(text):
            raise RangeFileError(f"{file}: `{name}`: `{text}` is not a decimal number")
        limit = float(text)
        limits[name] = (-limit, limit) if 0 < limit < math.inf else _NOTHING
    return limits


def _is_number(text: str) -> bool:
    return len(text) <= _SHORT and bool(NUMBER.fullmatch(text) or _ODD.fullmatch(text))


def _ends(name: str, found: Any, file: str) -> Bounds:
    ends = [_end(found.get(word)) for word in ("lowest", "highest")] if _is_data(found) else []
    numbers = [each for each in ends if each is not None]
    if len(numbers) < len(_NOTHING):
        raise RangeFileError(f"{file}: data.{name}: has no numbers `lowest` and `highest`")
    low, high = numbers
    return (low, high) if low <= high and math.isfinite(high - low) else _NOTHING


def _is_data(found: Any) -> bool:
    return isinstance(found, dict) and found.get("CLS") == "TensorData"


def _end(found: Any) -> float | None:
    """Return a number, which is often wrapped as an array of none or one dimension."""
    if isinstance(found, dict):
        found = found.get("data")
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return float(found)
    except OverflowError:
        return math.inf


def _pair(reader: _Flatbuffer, place: int) -> tuple[bytes, bytes]:
    fields = reader.table(place)
    if len(fields) <= _VALUE or not fields[_KEY] or not fields[_VALUE]:
        raise ValueError("an entry lacks its name or its value")
    return reader.string(fields[_KEY]), reader.string(fields[_VALUE])


class _Flatbuffer:
    """Places in a flatbuffer, each checked before it is used: ValueError or struct.error."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def table(self, place: int) -> list[int]:
        """Return where the fields lie of the table that the offset at `place` means; 0: none."""
        start = self._follow(place)
        (back,) = struct.unpack_from("<i", self._data, start)
        vtable = start - back
        if vtable < 0:
            raise ValueError("a table lies outside")
        size, inner = struct.unpack_from("<HH", self._data, vtable)
        count = size // 2 - 2
        if (
            not 0 <= count <= _FIELDS
            or size % 2
            or inner < _OFFSET
            or start + inner > len(self._data)
        ):
            raise ValueError("a table has no size")
        fields = struct.unpack_from(f"<{count}H", self._data, vtable + _OFFSET)
        if any(field > inner - _OFFSET for field in fields):
            raise ValueError("a field lies outside its table")
        return [start + field if field else 0 for field in fields]

    def vector(self, place: int) -> range:
        """Return where the offsets lie of the vector that the offset at `place` means."""
        start = self._follow(place)
        (count,) = struct.unpack_from("<I", self._data, start)
        first = start + _OFFSET
        if count > (len(self._data) - first) // _OFFSET:
            raise ValueError("it ends before its last entry")
        return range(first, first + count * _OFFSET, _OFFSET)

    def string(self, place: int) -> bytes:
        """Return the bytes of the string that the offset at `place` means."""
        start = self._follow(place)
        (length,) = struct.unpack_from("<I", self._data, start)
        first = start + _OFFSET
        if length > len(self._data) - first:
            raise ValueError("it ends before its last name")
        return self._data[first : first + length]

    def _follow(self, place: int) -> int:
        (offset,) = struct.unpack_from("<I", self._data, place)
        there = int(place + offset)
        if not offset or there > len(self._data) - _OFFSET:
            raise ValueError("an offset leads outside")
        return there
