"""`name: limit` a line: the dynamic ranges of NVIDIA's sampleINT8API, read and written."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from trtbuild.calib.trt_cache import lines_of, named_lines
from trtbuild.core.errors import RangeFileError

__all__ = ["limits_from_text", "text_from_limits"]

_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_BITS = re.compile("[0-9a-f]{7,8}")


def limits_from_text(data: bytes, *, file: str = "the file") -> dict[str, float]:
    """Read the largest absolute value of each tensor, in the file's order.

    The sample takes the first colon for the end of the name; here it is the last, so that names
    with colons are whole.

    Raises:
        RangeFileError: a line is of another form, its number is no limit, or it names what
            another named before.
    """
    lines = lines_of(data, file)
    limits = {}
    for number, name, text in named_lines(lines, file, first=1):
        where = f"{file}: line {number}: `{name}`"
        if not _NUMBER.fullmatch(text):
            hint = "write the largest absolute value that the tensor takes"
            if _BITS.fullmatch(text):
                hint = "these look like the scales of a TensorRT calibration cache without line 1"
            raise RangeFileError(f"{where}: `{text}` is not a decimal number", hint=hint)
        limit = float(text)
        if limit < 0 or not math.isfinite(limit):
            raise RangeFileError(f"{where}: {text} is no limit: it is negative, or not finite")
        limits[name] = limit
    if not limits:
        raise RangeFileError(f"{file}: holds no ranges")
    return limits


def text_from_limits(limits: Mapping[str, float]) -> bytes:
    """Write the largest absolute value of each tensor, so that it reads back as it was.

    Raises:
        RangeFileError: a name cannot stand in such a file.
    """
    for name in limits:
        if not name or "\n" in name or "\r" in name:
            raise RangeFileError(f"the name {name!r} cannot stand in a file of `name: limit` lines")
    return "".join(f"{name}: {limit!r}\n" for name, limit in limits.items()).encode()
