"""Any file of ranges, known by what it holds: a TensorRT cache, `name: limit` lines, or JSON."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from trtbuild.calib.range_text import limits_from_text
from trtbuild.calib.trt_cache import cache_from_bytes, is_cache
from trtbuild.core.errors import RangeFileError
from trtbuild.core.values import Range, Ranges

__all__ = ["RangeTable", "ScaleMeaning", "list_bounds", "table_from_bytes"]

ScaleMeaning = Literal["auto", "scale", "inverse"]
"""What the numbers of a calibration cache are: limit / 127, or 127 / limit."""

_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*\{\s*(\"|\}|$)")
"""What a JSON object begins with, and the name of a tensor hardly does."""
PLAUSIBLE = (1e-6, 2.0)
"""Between these lies the median of a cache's scales: limits of ±0.0001 to ±254."""


@dataclass(frozen=True)
class RangeTable:
    """What a file of ranges holds."""

    form: Literal["tensorrt", "text", "json"]
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
    - `{"`: JSON, either `ranges.json` as apply leaves it, or limits and [low, high] by name.
    - anything else: `name: limit` lines (see `calib.range_text`).

    Raises:
        RangeFileError: it is none of these, or a cache's numbers are of a size that scales do
            not have while `values` is `auto`.
    """
    if is_cache(data):
        return _of_cache(data, file, values)
    if _JSON.match(data):
        return RangeTable("json", "ranges", _ranges_from_json(data, file))
    limits = limits_from_text(data, file=file)
    tensors = {name: _make_range(limit, None) for name, limit in sorted(limits.items())}
    return RangeTable("text", "list of dynamic ranges", Ranges(tensors=tensors))


def list_bounds(table: RangeTable) -> dict[str, tuple[float, float]]:
    """Return [low, high] by name, of the tensors that the file knows something of."""
    return {name: (r.low, r.high) for name, r in table.ranges.tensors.items() if r.limit}


def _of_cache(data: bytes, file: str, values: ScaleMeaning) -> RangeTable:
    cache = cache_from_bytes(data, file=file)
    if values == "auto":
        _refuse_doubtful(cache.scales.values(), file)
    word = f"{cache.calibrator} (TensorRT {cache.version})"
    tensors = {}
    for name, number in sorted(cache.scales.items()):
        # In float64 scale * 127 is exact, and so divides back into the very scale.
        limit = 127 / number if values == "inverse" and number else number * 127
        tensors[name] = _make_range(limit, word)
    told = f"TensorRT {cache.version} cache ({cache.algorithm})"
    return RangeTable("tensorrt", told, Ranges(tensors=tensors))


def _refuse_doubtful(scales: Iterable[float], file: str) -> None:
    import statistics

    known = [scale for scale in scales if scale]
    if not known:
        return
    median = statistics.median(known)
    least, most = PLAUSIBLE
    if median > most:
        raise RangeFileError(
            f"{file}: the median of its scales is {median:.3g}, a range of ±{median * 127:.3g}: "
            "some tools write 127 / limit where TensorRT has limit / 127",
            hint="`values: inverse` (`--values inverse`, with which `trtbuild ranges export` makes "
            "a `ranges_file` of it) reads it so; `values: scale` takes the scales as they stand",
        )
    if median < least:
        raise RangeFileError(
            f"{file}: the median of its scales is {median:.3g}, a range of ±{median * 127:.3g}: "
            "its numbers are hardly the bits of float32 scales",
            hint="`values: scale` (`--values scale`) takes them as they stand",
        )


def _make_range(limit: float, word: str | None) -> Range:
    # 0 - 0 is 0, and -0 would not be.
    return Range(low=0.0 - limit, high=limit, origin="imported", calibrator=word)


def _ranges_from_json(data: bytes, file: str) -> Ranges:
    try:
        found = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_refuse_repeats, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        raise RangeFileError(f"{file}: is not JSON as it must be: {error}") from None
    if not isinstance(found, dict):
        raise RangeFileError(f"{file}: holds no ranges by tensor name")
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
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"`{twice}` stands there twice")
    return found


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no limit")
