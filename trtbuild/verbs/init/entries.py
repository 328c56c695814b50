"""Entries of a recipe as text: a key, its value, and a remark for whoever reads it."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trtbuild.core.escape import escape_controls
from trtbuild.recipe.scalars import UnclearScalar, resolve_scalar

__all__ = ["Entries", "Entry", "write_comment", "write_entries", "write_flow"]

WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./%+-]|:(?=[A-Za-z_/]))*")
"""What YAML takes for text without quotes, be it a key or a value."""


@dataclass(frozen=True)
class Entry:
    """A line of a recipe, or several below a key."""

    key: str
    value: Any
    """Plain data, written on one line; or entries, written below the key; or a list of such."""
    remark: str = ""
    proposed: bool = False
    """Whether it stands there as a comment, for whoever wants it."""

    @property
    def plain(self) -> Any:
        """Return the value as the recipe's reader is to have it."""
        return _plain(self.value)


Entries = tuple[Entry, ...]


def write_entries(entries: Iterable[Entry], depth: int = 0) -> Iterator[str]:
    """Yield the lines of entries; a remark stands behind its line where there is room, or above.

    A list that holds mappings has a line for each item, a list of anything else is one line.
    """
    indent = "  " * depth
    for entry in entries:
        key = f"{indent}{write_flow(entry.key)}:"
        if entry.proposed:
            for line in write_entries([replace(entry, proposed=False)]):
                yield f"{indent}# {line}"
        elif _is_entries(entry.value):
            yield from _with_remark(key, entry.remark, indent)
            yield from write_entries(entry.value, depth + 1)
        elif isinstance(entry.value, list) and any(map(_is_mapping, entry.value)):
            yield from _with_remark(key, entry.remark, indent)
            for item in entry.value:
                yield from _write_item(item, depth + 1)
        else:
            line = f"{key} {write_flow(entry.value)}"
            if len(line) > WIDTH and isinstance(entry.value, dict):
                inner = tuple(Entry(name, value) for name, value in entry.value.items())
                yield from write_entries([Entry(entry.key, inner, entry.remark)], depth)
            else:
                yield from _with_remark(line, entry.remark, indent)


def _write_item(item: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if not _is_entries(item):
        yield f"{indent}- {write_flow(item)}"
        return
    flat = f"{indent}- {write_flow(_plain(item))}"
    remarks, values = [each.remark for each in item if each.remark], [e.value for e in item]
    if len(flat) <= WIDTH and len(remarks) <= 1 and not any(map(_is_mapping, values)):
        yield from _with_remark(flat, "".join(remarks), indent)
        return
    first, *rest = write_entries(item, depth + 1)
    yield f"{indent}- {first.strip()}"
    yield from rest


def write_comment(text: str, indent: str = "") -> Iterator[str]:
    """Yield a comment, wrapped; a name in it, whoever made it, does nothing."""
    for paragraph in text.split("\n"):
        told = escape_controls(paragraph)
        own = " " * (len(told) - len(told.lstrip()))
        lines = textwrap.wrap(
            told.strip(),
            WIDTH - 2 - len(indent),
            initial_indent=own,
            subsequent_indent=own and f"{own}  ",
        )
        for line in lines or [""]:
            yield f"{indent}# {line}".rstrip()


def write_flow(value: Any) -> str:
    """Write plain data as YAML on one line: text in quotes where it would mean another thing."""
    if isinstance(value, dict):
        inner = ", ".join(f"{write_flow(key)}: {write_flow(each)}" for key, each in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(write_flow, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and _reads_as_itself(value):
        return value
    return json.dumps(value)  # characters of no alphabet, at which YAML folds lines, written out


def _reads_as_itself(text: str) -> bool:
    try:
        return resolve_scalar(text) == text
    except UnclearScalar:
        return False


def _with_remark(line: str, remark: str, indent: str) -> Iterator[str]:
    told = escape_controls(remark)
    if not told:
        yield line
    elif len(line) + len(told) + 3 <= WIDTH:
        yield f"{line} # {told}"
    else:
        yield from write_comment(remark, indent)
        yield line


def _is_entries(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Entry)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) or _is_entries(value)


def _plain(value: Any) -> Any:
    if _is_entries(value):
        return {entry.key: entry.plain for entry in value if not entry.proposed}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value
