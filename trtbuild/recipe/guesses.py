"""What was probably meant by a value of another form; only what the schema takes is proposed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from trtbuild.recipe.problems import find_nearest
from trtbuild.recipe.scalars import UnclearScalar, resolve_scalar
from trtbuild.recipe.schema_places import list_kinds, list_members, strip_annotation

__all__ = ["guess_value", "is_taken", "write_flow"]

_CAPABILITY = re.compile(r"(?i)(?:sm|cc|compute|)[_ -]?([0-9]{1,2})[.]?([0-9])a?")
_BETWEEN = re.compile(r"\s*[,;x×*]\s*|\s+")
_BRACKETS = re.compile(r"\s*[\[({<]?(.*?)[\])}>]?\s*")
_PATH = re.compile(r"[^\s:]*[./\\]\S*")
"""A file or folder, or `file.py:callable`; no URL."""
_ARRAYS = (".npz", ".npy")
_MOST = 8
"""As many numbers as a shape may have; more is no shape."""
_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*")


def guess_value(value: Any, expected: Any) -> Any:
    """Return what of the expected type was probably meant by a value, or None."""
    return next((each for each in _guesses(value, expected) if is_taken(each, expected)), None)


def write_flow(value: Any) -> str:
    """Write a value as it may be pasted into a recipe, on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {write_flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(write_flow, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and resolve_scalar(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _guesses(value: Any, expected: Any) -> Iterator[Any]:
    bare, _ = strip_annotation(expected)
    kinds = list_kinds(bare)
    if kinds:
        yield from _of_kinds(value, kinds)
    elif members := list_members(bare):
        for each in members:
            yield from _guesses(value, each)
    elif get_origin(bare) is tuple:
        yield from _lists(value, get_args(bare))
    elif hasattr(bare, "model_fields"):
        yield from _sections(value, bare)
    elif bare in {int, float}:
        yield from _numbers(value)


def _numbers(value: Any) -> Iterator[float]:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    read = _read(text)
    if isinstance(value, str) and isinstance(read, int | float):
        yield read
    if found := _CAPABILITY.fullmatch(text):
        yield float(f"{found[1]}.{found[2]}")


def _of_kinds(value: Any, kinds: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not isinstance(value, str):
        return
    if nearest := find_nearest(value, kinds):
        yield {"kind": nearest}
    if not _PATH.fullmatch(value):
        return
    option = "entrypoint" if ".py:" in value else "path"
    for kind, each in kinds.items():
        if option in each.model_fields and (kind != "arrays" or value.endswith(_ARRAYS)):
            yield {"kind": kind, option: value}


def _lists(value: Any, items: tuple[Any, ...]) -> Iterator[list[Any]]:
    if isinstance(value, bool | dict) or value is None:
        return
    if isinstance(value, str):
        parts: list[Any] = [_read(each) for each in _BETWEEN.split(_BRACKETS.sub(r"\1", value))]
        if 1 < len(parts) <= _MOST and any(isinstance(each, int | float) for each in parts):
            yield parts
        if list_members(items[0]) and not list_kinds(items[0]):
            return  # a word alone is no shape
    given = value if isinstance(value, list) else [value]
    items = items[:1] * len(given) if items[-1] is Ellipsis else items
    given = given * len(items) if len(given) == 1 else given
    found = [
        each if is_taken(each, item) else guess_value(each, item)
        for each, item in zip(given, items, strict=False)
    ]
    if found != value and len(found) == len(items) and None not in found:
        yield found


def _sections(value: Any, section: Any) -> Iterator[dict[str, Any]]:
    fields = section.model_fields
    if isinstance(value, str) and "path" in fields and _PATH.fullmatch(value):
        yield {"path": value}
    needed = {name: each.annotation for name, each in fields.items() if each.is_required()}
    if needed and not isinstance(value, dict):
        yield {
            name: value if is_taken(value, each) else guess_value(value, each)
            for name, each in needed.items()
        }


def _read(text: str) -> Any:
    try:
        return resolve_scalar(text)
    except UnclearScalar:
        return text


def is_taken(value: Any, expected: Any) -> bool:
    """Tell whether a value, read from a recipe, is one of a type."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    if value is None:
        return False
    adapter: TypeAdapter[Any] = TypeAdapter(tuple[expected], config=ConfigDict(strict=True))
    try:
        adapter.validate_json(json.dumps([value]))
    except ValidationError:
        return False
    return True
