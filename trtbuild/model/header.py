"""The inputs of an ONNX file, read off the wire: before anything is imported."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from trtbuild.core.values import TensorSpec
from trtbuild.model.shapes import is_named
from trtbuild.model.wire import Malformed, iterate_fields, read_text, read_varint

__all__ = ["read_inputs"]

GRAPH = 7  # of ModelProto
INITIALIZER, INPUT = 5, 11  # of GraphProto
TENSOR_NAME = 8  # of TensorProto
NAME, TYPE = 1, 2  # of ValueInfoProto
TENSOR_TYPE = 1  # of TypeProto
ELEMENT, SHAPE = 1, 2  # of TypeProto.Tensor
STRING = 8  # of TensorProto.DataType
DIM = 1  # of TensorShapeProto
VALUE, PARAM = 1, 2  # of its Dimension
LARGEST = 2**63


def read_inputs(path: Path) -> tuple[TensorSpec, ...]:
    """Return the inputs that must be fed, their types `?` but for strings; none where unclear.

    A dimension that the model leaves without a name is called `<tensor>_dim_<axis>`.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return tuple(_inputs(data))
    except (OSError, ValueError):  # the import will say what is wrong
        return ()


def _inputs(data: mmap.mmap) -> Iterator[TensorSpec]:
    for start, end in _parts(data, 0, len(data), GRAPH):
        constants = {
            read_text(data, *name)
            for tensor in _parts(data, start, end, INITIALIZER)
            for name in _parts(data, *tensor, TENSOR_NAME)
        }
        for value in _parts(data, start, end, INPUT):
            name = "".join(read_text(data, *each) for each in _parts(data, *value, NAME))
            if name not in constants:
                tensor = _below(data, value, TYPE, TENSOR_TYPE)
                shape = tuple(_shape(data, _below(data, tensor, SHAPE), name))
                yield TensorSpec(name=name, dtype=_dtype(data, tensor), shape=shape)


def _below(data: mmap.mmap, message: tuple[int, int], *numbers: int) -> tuple[int, int]:
    for number in numbers:
        found = _parts(data, *message, number)
        if not found:
            raise Malformed("has an input that is no tensor of a known rank")
        message = found[0]
    return message


def _dtype(data: mmap.mmap, tensor: tuple[int, int]) -> str:
    for number, first, last in iterate_fields(data, *tensor):
        if number == ELEMENT and read_varint(data, first, last)[0] == STRING:
            return "object"
    return "?"


def _shape(data: mmap.mmap, message: tuple[int, int], name: str) -> Iterator[int | str]:
    for axis, (start, end) in enumerate(_parts(data, *message, DIM)):
        size: int | str = ""
        for number, first, last in iterate_fields(data, start, end):
            if number == VALUE:
                size, _ = read_varint(data, first, last)
            elif number == PARAM:
                size = read_text(data, first, last)
        known = is_named(size) if isinstance(size, str) else 0 < size < LARGEST
        yield size if known else f"{name}_dim_{axis}"


def _parts(data: mmap.mmap, start: int, end: int, wanted: int) -> list[tuple[int, int]]:
    return [
        (first, last)
        for number, first, last in iterate_fields(data, start, end)
        if number == wanted
    ]
