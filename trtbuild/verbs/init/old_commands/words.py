"""What flags of several tools have in common: shapes, sizes, and how to read and note them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.old_commands.command_line import Arity, Flag, Reading

__all__ = [
    "keeps", "notes", "parse_bytes", "parse_shape", "parse_whole", "sets", "split_outside_quotes",
]  # fmt: skip

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([BKMG]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"B": 1, "K": 2**10, "M": 2**20, "G": 2**30}
_SHAPE = re.compile(r"\[?\s*(-?\d+(?:\s*[x,]\s*-?\d+)*)?\s*\]?")


def notes(why: str, values: Arity = 0) -> Flag:
    """Return a flag that has no counterpart, and why."""

    def read(reading: Reading, written: str, found: list[str]) -> None:
        del found
        reading.note(written, why)

    return Flag(read, values)


def sets(key: str, value: Any) -> Flag:
    """Return a flag without a value, which asks for something by being there."""

    def read(reading: Reading, written: str, found: list[str]) -> None:
        del written, found
        reading.told[key] = value

    return Flag(read, 0)


def keeps(key: str, parse: Callable[[str], Any] = str) -> Flag:
    """Return a flag whose value is kept as `parse` reads it; the last one counts."""

    def read(reading: Reading, written: str, found: list[str]) -> None:
        try:
            reading.told[key] = parse(found[-1])
        except ValueError:
            raise UsageError(
                f"--from: `{written}` cannot be read", hint="is it as the tool takes it?"
            ) from None

    return Flag(read, 1)


def parse_whole(text: str) -> int:
    """Read a whole number from 0 on.

    Raises:
        ValueError: it is none.
    """
    found = int(text)
    if found < 0:
        raise ValueError(text)
    return found


def parse_bytes(text: str, unit: str = "M") -> int:
    """Read a size, in units of its own or those of the tool.

    Raises:
        ValueError: it is none.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return int(float(match[1]) * _UNITS[match[2].upper() or unit])


def parse_shape(text: str) -> tuple[int, ...]:
    """Read `1x3x224x224`, `[1,3,224,224]` or `1,3`; nothing is a scalar.

    Raises:
        ValueError: it is none.
    """
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    sizes = re.split(r"\s*[x,]\s*", match[1]) if match[1] else []
    return tuple(map(parse_whole, sizes))


def split_outside_quotes(text: str) -> Iterator[str]:
    """Yield the parts of a list; what stands between single quotes or brackets is not divided."""
    part, quoted, depth = "", False, 0
    for letter in text:
        quoted ^= letter == "'"
        depth += {"[": 1, "]": -1}.get(letter, 0)
        if letter == "," and not quoted and not depth:
            yield part
            part = ""
        else:
            part += letter
    if part:
        yield part


def find_words(table: Mapping[str, str], text: str) -> str:
    """Return what a word means here, in any case.

    Raises:
        ValueError: it is not in the table.
    """
    found = {key.lower(): value for key, value in table.items()}.get(text.strip().lower())
    if found is None:
        raise ValueError(text)
    return found
