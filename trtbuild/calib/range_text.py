"""`name: limit` a line: the dynamic ranges of NVIDIA's sampleINT8API, read and written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from trtbuild.core.errors import RangeFileError

__all__ = [
    "NUMBER",
    "check_name",
    "limits_from_text",
    "split_lines",
    "split_named_lines",
    "text_from_limits",
]

NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_BITS = re.compile("[0-9a-f]{7,8}")


def limits_from_text(data: bytes, *, file: str = "the file") -> dict[str, float]:
    """Read the largest absolute value of each tensor, in the file's order.

    The sample takes the first colon for the end of the name; here it is the last, so that names
    with colons are whole.

    Raises:
        RangeFileError: a line is of another form, its number is no limit, or it names what
            another named before.
    """
    lines = split_lines(data, file)
    limits = {}
    for number, name, text in split_named_lines(lines, file, first=1):
        where = f"{file}: line {number}: `{name}`"
        if not NUMBER.fullmatch(text):
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
        check_name(name)
    return "".join(f"{name}: {limit!r}\n" for name, limit in limits.items()).encode()


def split_lines(data: bytes, file: str) -> list[str]:
    """Return the lines of a text file, without empty ones at its end.

    Raises:
        RangeFileError: it is not text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise RangeFileError(
            f"{file}: is not text", hint="a timing cache or an engine holds no ranges"
        )
    # Not `splitlines`: a name may hold what Unicode takes for the end of a line.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def split_named_lines(lines: list[str], file: str, *, first: int) -> Iterator[tuple[int, str, str]]:
    """Yield the lines of `name: value` from line `first` on: number, name, value.

    The last ": " counts: names may hold colons, spaces, brackets.

    Raises:
        RangeFileError: a line is of another form, or names what another named before.
    """
    seen: dict[str, int] = {}
    for number, line in enumerate(lines[first - 1 :], start=first):
        if not line.strip():
            continue
        name, colon, value = line.rpartition(": ")
        if not colon:
            name, colon, value = line.rpartition(":")
            if colon and (not value or NUMBER.fullmatch(value)):
                colon = ": "
        # Some tools write no digits for 0; that the rest is a name must show all the more.
        if colon != ": " or not name or not (value.strip() or name.strip(" :")):
            raise RangeFileError(
                f"{file}: line {number} is not of the form `name: value`",
                hint="one tensor a line: its name, a colon, a space, its value",
            )
        if name in seen:
            raise RangeFileError(
                f"{file}: line {number}: `{name}` stands in line {seen[name]} already",
                hint="remove one of the two",
            )
        seen[name] = number
        yield number, name, value.strip()


def check_name(name: str) -> None:
    """Refuse a name that would not read back.

    Raises:
        RangeFileError: it is empty, or would break the line.
    """
    if not name or "\n" in name or "\r" in name:
        raise RangeFileError(f"the name {name!r} cannot stand in a file of `name: value` lines")
