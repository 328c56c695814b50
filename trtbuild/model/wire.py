"""Read an ONNX file's structure off the wire, without the onnx library and without its data.

Knows Protocol Buffers' wire format and the few field numbers that lead to external data. A plan
calls this every time, so it walks over raw data instead of reading it.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "FIELDS",
    "External",
    "Malformed",
    "iterate_external_data",
    "iterate_fields",
    "read_text",
    "read_varint",
]

FIELDS: dict[str, dict[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
}
"""Message → field number → the message in it; only those that may lead to a tensor."""
IR_VERSION, GRAPH = 1, 7  # of ModelProto
NAME, EXTERNAL_DATA = 8, 13  # of TensorProto
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
DEPTH = 100  # as Protocol Buffers has it
VARINT_BITS = 64

External = tuple[str, dict[str, str]]
"""A tensor's name and its external_data entries: location, offset, length."""
Field = tuple[int, int, int]
"""Field number, and where its bytes start and end."""


class Malformed(ValueError):
    """The bytes are not those of an ONNX model."""


def iterate_external_data(path: Path) -> Iterator[External]:
    """Yield every tensor of an ONNX file that keeps its data elsewhere, in file order.

    Raises:
        Malformed: the file is empty, cut off, or no ONNX model.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            raise Malformed("is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            numbers = {number for number, _, _ in iterate_fields(data, 0, len(data))}
            if not {IR_VERSION, GRAPH} <= numbers:
                raise Malformed("is not an ONNX model")
            yield from _walk(data, 0, len(data), "ModelProto", 0)


def _walk(data: mmap.mmap, start: int, end: int, message: str, depth: int) -> Iterator[External]:
    if depth > DEPTH:
        raise Malformed("is nested too deeply")
    if message == "TensorProto":
        yield from _tensor(data, start, end)
        return
    if message == "NodeProto" and data.find(b"location", start, end) < 0:
        return  # most nodes hold no tensors: leave them at the speed of C
    inner = FIELDS[message]
    for number, first, last in iterate_fields(data, start, end):
        if number in inner:
            yield from _walk(data, first, last, inner[number], depth + 1)


def _tensor(data: mmap.mmap, start: int, end: int) -> Iterator[External]:
    name, entries = "", {}
    for number, first, last in iterate_fields(data, start, end):
        if number == NAME:
            name = read_text(data, first, last)
        elif number == EXTERNAL_DATA:
            pair = {n: read_text(data, a, b) for n, a, b in iterate_fields(data, first, last)}
            entries[pair.get(1, "")] = pair.get(2, "")
    if "location" in entries:
        yield name, entries


def iterate_fields(data: mmap.mmap, start: int, end: int) -> Iterator[Field]:
    """Yield the fields of a message.

    Raises:
        Malformed: there is no such message there.
    """
    position = start
    while position < end:
        tag, position = read_varint(data, position, end)
        number, wire = tag >> 3, tag & 7
        first = position
        if wire == BYTES:
            length, first = read_varint(data, position, end)
            position = first + length
        elif wire == VARINT:
            _, position = read_varint(data, position, end)
        elif wire in {FIXED64, FIXED32}:
            position += 8 if wire == FIXED64 else 4
        else:
            raise Malformed("is not an ONNX model")
        if number == 0:
            raise Malformed("is not an ONNX model")
        if position > end:
            raise Malformed("is cut off")
        yield number, first, position


def read_varint(data: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    """Return a number, and where it ends.

    Raises:
        Malformed: it does not end.
    """
    value = shift = 0
    while position < end:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  # the top bit says that more follows
            return value, position
        shift += 7
        if shift >= VARINT_BITS:
            raise Malformed("is not an ONNX model")
    raise Malformed("is cut off")


def read_text(data: mmap.mmap, start: int, end: int) -> str:
    """Return a field as text."""
    return data[start:end].decode("utf-8", "replace")
