"""The text of a lock → a tree: a fact a line, and nothing that only looks like a lock."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from trtbuild.core.options import Options

__all__ = ["find_wrong", "parse_lock"]

_STRING = r'"(?:[^"\\]|\\.)*+"'
_KEY = rf"(?:[A-Za-z0-9_-]++|{_STRING})"
_SCALAR = rf"(?:{_STRING}|[-+0-9.eE]{{1,40}}+|true|false|nan|inf)"
_ARRAY = rf"\[(?:{_SCALAR}(?:, {_SCALAR})*+)?\]"
_FLAT = rf"\{{ (?:{_KEY} = {_SCALAR}(?:, {_KEY} = {_SCALAR})*+)? \}}"
_ITEM = rf"{_KEY} = (?:{_SCALAR}|{_ARRAY}|{_FLAT})"
_TABLE = rf"\{{ (?:{_ITEM}(?:, {_ITEM})*+)? \}}"
_LINE = re.compile(
    rf"\s*+(?:#.*|\[{_KEY}\]|{_KEY}(?:\.{_KEY}){{0,3}} = (?:{_SCALAR}|{_ARRAY}|{_TABLE}))?+\s*+"
)
"""As `write_lock` writes: neither keys nor values nest deeper, whatever TOML would allow."""
_MOST_SECTIONS = 50


def parse_lock(text: str) -> dict[str, Any]:
    """Return the tree that the text of a lock says.

    Raises:
        ValueError: it is no text of a lock; says in which line.
    """
    import tomllib

    sections = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if _LINE.fullmatch(line) is None:
            raise ValueError(f"line {number} is no line of a lock")
        sections += line.startswith("[")
    if sections > _MOST_SECTIONS:
        raise ValueError(f"it has {sections} sections, and no lock has so many")
    return tomllib.loads(text)


def find_wrong(tree: dict[str, Any], kind: type[Options]) -> str:
    """Return what is wrong first with a tree that is to be a value, or nothing.

    Of a million wrong facts, pydantic would tell of each.
    """
    return next(_wrong(tree, kind, ""), "")


def _wrong(value: Any, kind: Any, path: str) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, Options):
        if not isinstance(value, dict):
            yield f"`{path[:-1]}`: input should be a table"
            return
        fields = kind.model_fields
        yield from (
            f"`{path}{name}` is nothing that it has" for name in value if name not in fields
        )
        for name, field in fields.items():
            if name in value:
                yield from _wrong(value[name], field.annotation, f"{path}{name}.")
            elif field.is_required():
                yield f"`{path}{name}` is not in it"
        return
    table = next((each for each in (kind, *get_args(kind)) if get_origin(each) is dict), None)
    if table is not None and isinstance(value, dict):
        for name, item in value.items():
            yield from _wrong(item, get_args(table)[1], f"{path}{name}.")
        return
    if kind is str and isinstance(value, str):
        return
    try:
        # A date is no text, though it could be written as one: what stands for it fits nowhere.
        _adapter(kind).validate_json(json.dumps(value, default=lambda _: {}))
    except ValidationError as error:
        yield f"`{path[:-1]}`: {error.errors(include_url=False)[0]['msg'].lower()}"


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind, config={"strict": True, "allow_inf_nan": False})
