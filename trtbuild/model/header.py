"""The inputs of an ONNX file, read off the wire: before anything is imported."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from trtbuild.core.values import TensorSpec
from trtbuild.model.wire import Malformed, iterate_fields, read_text, read_varint

__all__ = ["read_inputs"]

GRAPH = 7  # of ModelProto
INITIALIZER, INPUT = 5, 11  # of GraphProto
TENSOR_NAME = 8  # of TensorProto
NAME, TYPE = 1, 2  # of ValueInfoProto
TENSOR_TYPE = 1  # of TypeProto
SHAPE = 2  # of TypeProto.Tensor
DIM = 1  # of TensorShapeProto
VALUE, PARAM = 1, 2  # of its Dimension
LARGEST = 2**63
UNNAMED = ("", "?", "-1")


def read_inputs(path: Path) -> tuple[TensorSpec, ...]:
    """Return the inputs that must be fed, with no word on their types; none where they are unclear.

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
                yield TensorSpec(name=name, dtype="?", shape=tuple(_shape(data, value, name)))


def _shape(data: mmap.mmap, value: tuple[int, int], name: str) -> Iterator[int | str]:
    here = [value]
    for number in (TYPE, TENSOR_TYPE, SHAPE):
        here = [part for each in here for part in _parts(data, *each, number)]
    if not here:
        raise Malformed("has an input without a shape")
    for axis, (start, end) in enumerate(_parts(data, *here[0], DIM)):
        size: int | str = ""
        for number, first, last in iterate_fields(data, start, end):
            if number == VALUE:
                size, _ = read_varint(data, first, last)
            elif number == PARAM:
                size = read_text(data, first, last)
        known = size not in UNNAMED if isinstance(size, str) else 0 < size < LARGEST
        yield size if known else f"{name}_dim_{axis}"


def _parts(data: mmap.mmap, start: int, end: int, wanted: int) -> list[tuple[int, int]]:
    return [
        (first, last)
        for number, first, last in iterate_fields(data, start, end)
        if number == wanted
    ]
