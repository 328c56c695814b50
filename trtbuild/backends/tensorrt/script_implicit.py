"""The part of a printed program that gives ranges to TensorRT 10: implicit quantization."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from trtbuild.backends.tensorrt import spread_ranges
from trtbuild.core import patterns

__all__ = ["IMPORTS", "ImplicitScript"]

IMPORTS = """\
import json
import os
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any
"""

_RANGES = """
with open(ranges, encoding="utf-8") as file:
    tables = json.load(file)["tensors"]
known = {name: max(abs(each["low"]), abs(each["high"])) for name, each in tables.items()}
"""
_REQUESTS = '''

SKIP = {skip!a}
PRECISION = {precision!a}
"""Patterns over nodes, and over operators after `op:`."""


{functions}


def stays_float(name, op):
    """Tell whether a node must not be computed in INT8; the most specific pattern counts."""
    if any(means_node(pattern, name, op, main) for pattern in SKIP):
        return True
    found = [pattern for pattern in PRECISION if means_node(pattern, name, op, main)]
    return "fp32" in {{PRECISION[each] for each in find_strongest(name, found, meant)}}


def all_of(nodes):
    """Yield nodes, and those in their bodies (`If`, `Loop`)."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from all_of(graph.node)


graph = OnnxFromPath(model)().graph
main = {{(node.name or node.output[0]): node.op_type for node in graph.node}}
meant = {{pattern: frozenset(find_nodes(pattern, main)) for pattern in PRECISION}}
nodes = {{(node.name or node.output[0]): node.op_type for node in all_of(graph.node)}}
floats = {{name for name, op in nodes.items() if stays_float(name, op)}}
'''
_CACHE = '''

def write_cache(limits):
    """Write a calibration cache: a line a tensor, with the bits of its scale (limit / 127)."""
    major, minor, patch, *_ = map(int, trt.__version__.split("."))
    lines = [f"TRT-{major * 10_000 + minor * 100 + patch}-EntropyCalibration2"]
    for name, limit in limits.items():
        (bits,) = struct.unpack("<I", struct.pack("<f", limit / 127))
        lines.append(f"{name}: {bits:x}")
    with open(cache, "w", encoding="utf-8") as file:
        file.write("\\n".join(lines) + "\\n")


cache = f"{engine}.calibration.cache"
calibrator = Calibrator([], cache=cache, BaseClass=trt.IInt8EntropyCalibrator2)
'''
_EDIT = '''

def give_ranges(network):
    """Give every tensor its range, and hold back the nodes that must stay float."""
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    tensors = dict(list_tensors(network, layers))
    limits = spread_limits(trt, known, layers, tensors)
{given}{held}


'''
_TENSORS = """\
    for name, limit in limits.items():
        tensors[name].dynamic_range = (-limit, limit)
"""
_HELD = """\
    for layer in layers:
        wanted = {layer.name, *read_onnx_nodes(layer)} & floats
        if wanted and layer.type.name not in ("CONSTANT", "SHAPE"):
            layer.precision = trt.DataType.FLOAT
"""


@dataclass(frozen=True)
class ImplicitScript:
    """What a recipe with `mode: implicit` gives to TensorRT beside the model."""

    as_cache: bool
    skip: tuple[str, ...]
    precision: Mapping[str, str]

    @property
    def has_requests(self) -> bool:
        """Some nodes must stay float."""
        return bool(self.skip or "fp32" in self.precision.values())

    def write(self) -> str:
        """Return the lines between the imports and the config."""
        held = _HELD if self.has_requests else ""
        given = "    write_cache(limits)\n" if self.as_cache else _TENSORS
        parts = [_read_functions(spread_ranges) + "\n\n", _RANGES]
        if self.has_requests:
            parts.append(
                _REQUESTS.format(
                    skip=self.skip,
                    precision=dict(self.precision),
                    functions=_read_functions(patterns),
                )
            )
        parts += [_CACHE] if self.as_cache else []
        return "".join([*parts, _EDIT.format(given=given, held=held.rstrip("\n"))])


def _read_functions(module: ModuleType) -> str:
    """Return the source of a module's functions: the very code that a build of ours runs."""
    _, _, body = inspect.getsource(module).partition("\n__all__")
    return body.partition("]\n")[2].strip("\n")
