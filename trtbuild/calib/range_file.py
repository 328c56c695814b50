"""Any file of ranges, known by what it holds.

A TensorRT cache, `name: limit` lines, ONNX Runtime's calibration table, or JSON.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from trtbuild.calib import ort_table
from trtbuild.calib.doubt import ScaleMeaning, check_size, read_limit
from trtbuild.calib.range_text import limits_from_text
from trtbuild.calib.trt_cache import cache_from_bytes, is_cache
from trtbuild.core.errors import RangeFileError
from trtbuild.core.frozen import frozen
from trtbuild.core.values import Range, Ranges

__all__ = ["RangeTable", "ScaleMeaning", "list_bounds", "table_from_bytes"]

_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*\{\s*(\"|\}|$)")
"""What a JSON object begins with, and the name of a tensor hardly does."""


@frozen
class RangeTable:
    """What a file of ranges holds."""

    form: Literal["tensorrt", "text", "json", "onnxruntime"]
    told: str
    """What it is, in words: `TensorRT 10.14.1 cache (EntropyCalibration2)`."""
    ranges: Ranges

    @property
    def unknown(self) -> tuple[str, ...]:
        """The tensors of which the file says that nothing is known: their limit is 0."""
        return tuple(name for name, each in self.ranges.tensors.items() if each.limit == 0)


def table_from_bytes(data: bytes, *, file: str, values: ScaleMeaning = "auto") -> RangeTable:
    """Read a file of ranges; `file` is what messages call it.

    - `TRT-...` in line 1: a TensorRT calibration cache, of scales (see `calib.trt_cache`).
    - `{"`: JSON, either `ranges.json` as apply leaves it, or limits and [low, high] by name, or
      ONNX Runtime's `calibration.json`.
    - a flatbuffer, or `name limit` lines: ONNX Runtime's too (see `calib.ort_table`).
    - anything else: `name: limit` lines (see `calib.range_text`).

    Raises:
        RangeFileError: it is none of these, or a cache's numbers are of a size that scales do
            not have while `values` is `auto`.
    """
    if is_cache(data):
        return _of_cache(data, file, values)
    if _JSON.match(data):
        return _of_json(data, file)
    if ort_table.is_flatbuffer(data):
        return _of_ort(ort_table.read_flatbuffer(data, file=file))
    if ort_table.is_lines(data):
        return _of_ort(ort_table.read_lines(data, file=file))
    limits = limits_from_text(data, file=file)
    tensors = {name: _make_range(limit, None) for name, limit in sorted(limits.items())}
    return RangeTable("text", "list of dynamic ranges", Ranges(tensors=tensors))


def list_bounds(table: RangeTable) -> dict[str, tuple[float, float]]:
    """Return [low, high] by name, of the tensors that the file knows something of."""
    return {name: (r.low, r.high) for name, r in table.ranges.tensors.items() if r.limit}


def _of_cache(data: bytes, file: str, values: ScaleMeaning) -> RangeTable:
    cache = cache_from_bytes(data, file=file)
    if values == "auto":
        check_size(cache.scales, file)
    word = f"{cache.calibrator} (TensorRT {cache.version})"
    tensors = {
        name: _make_range(read_limit(number, values), word)
        for name, number in sorted(cache.scales.items())
    }
    told = f"TensorRT {cache.version} cache ({cache.algorithm})"
    return RangeTable("tensorrt", told, Ranges(tensors=tensors))


def _of_ort(found: Mapping[str, ort_table.Bounds]) -> RangeTable:
    tensors = {
        name: Range(low=low, high=high, origin="imported", calibrator="ONNX Runtime")
        for name, (low, high) in sorted(found.items())
    }
    return RangeTable("onnxruntime", "ONNX Runtime's calibration table", Ranges(tensors=tensors))


def _make_range(limit: float, word: str | None) -> Range:
    # 0 - 0 is 0, and -0 would not be.
    return Range(low=0.0 - limit, high=limit, origin="imported", calibrator=word)


def _of_json(data: bytes, file: str) -> RangeTable:
    odd: list[str] = []

    def constant(word: str) -> float:
        odd.append(word)
        return float(word)

    try:
        found = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_refuse_repeats, parse_constant=constant
        )
    except (ValueError, RecursionError) as error:
        raise RangeFileError(f"{file}: is not JSON as it must be: {error}") from None
    if not isinstance(found, dict):
        raise RangeFileError(f"{file}: holds no ranges by tensor name")
    if found.get("CLS") == "TensorsData" and isinstance(found.get("data"), dict):
        return _of_ort(ort_table.read_json(found["data"], file=file))
    if odd:
        raise RangeFileError(f"{file}: is not JSON as it must be: {odd[0]} is no limit")
    return RangeTable("json", "ranges", _ranges_from_json(found, file))


def _ranges_from_json(found: dict[str, Any], file: str) -> Ranges:
    if isinstance(found.get("tensors"), dict):
        try:
            ranges = Ranges.model_validate_json(json.dumps(found))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise RangeFileError(f"{file}: {place}: {first['msg'].lower()}") from None
    else:
        ranges = Ranges(tensors={name: _bounds(name, found[name], file) for name in found})
    for name, each in ranges.tensors.items():
        if each.low > each.high:
            raise RangeFileError(
                f"{file}: `{name}`: low ({each.low:g}) is above high ({each.high:g})"
            )
    return Ranges(tensors=dict(sorted(ranges.tensors.items())), samples=ranges.samples)


def _bounds(name: str, value: Any, file: str) -> Range:
    numbers = value if isinstance(value, list) else [value]
    if len(numbers) not in {1, 2} or not all(_is_number(each) for each in numbers):
        raise RangeFileError(f"{file}: `{name}` must be a limit or [low, high], in finite numbers")
    low, high = (-numbers[0], numbers[0]) if len(numbers) == 1 else numbers
    return Range(low=float(low), high=float(high), origin="imported")


def _is_number(value: Any) -> bool:
    return type(value) in {int, float} and abs(value) <= sys.float_info.max


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    for name, _ in pairs:
        name.encode()  # half a character, which JSON can write, is a ValueError: no name has it
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"`{twice}` stands there twice")
    return found
