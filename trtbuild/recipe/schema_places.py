"""What the schema expects at a place in a recipe, and how to say it."""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, Tag, WithJsonSchema
from pydantic.fields import FieldInfo

from trtbuild.core.frozen import frozen
from trtbuild.core.kinds import load_kinds
from trtbuild.recipe.problems import Path
from trtbuild.recipe.schema import Bounds, Recipe

__all__ = [
    "SchemaPlace",
    "describe_limits",
    "describe_type",
    "find_item_type",
    "find_place",
    "find_sections_with",
    "join_names",
    "list_kinds",
    "list_members",
    "strip_annotation",
]

Loc = tuple[str | int, ...]
"""Where pydantic saw an error: keys and positions, and the names of the variants it tried."""

_SCALARS = {
    bool: ("true or false", ""),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("text", ""),
}
_BOUNDS = "a limit (6.0 means -6 to 6) or [low, high]"


@frozen
class SchemaPlace:
    """A place in a recipe, as the schema sees it."""

    path: Path
    """Keys and positions in the file; no names of variants."""
    expected: Any
    """The type of the value, None where the schema knows no such place."""
    metadata: tuple[Any, ...]
    """Its constraints."""
    field: str
    """The last option on the way: for `fixes[0]`, `fixes`."""
    owner: type[BaseModel]
    """The section or kind that the place is an option of."""
    owner_path: Path
    family: str
    """The option whose type the owner is: `calibrator`, `targets`."""
    siblings: dict[str, type[BaseModel]]
    """The kinds that the owner was chosen from."""
    union: Path | None = None
    """Where, on the way, several types were tried that no `kind` tells apart."""
    union_type: Any = None
    """Those types."""


def find_place(loc: Loc) -> SchemaPlace:
    """Find the place that a validation `loc` points at.

    After a value with a `kind`, the loc repeats that kind; in a union without one, it names the
    type that was tried. Neither is a key of the file.
    """
    expected, metadata = strip_annotation(Recipe)
    path: Path = ()
    owner: type[BaseModel] = Recipe
    owner_path: Path = ()
    siblings: dict[str, type[BaseModel]] = {}
    here: dict[str, type[BaseModel]] = {}
    family, field = "", ""
    union: Path | None = None
    union_type: Any = None
    for part in loc:
        kinds = list_kinds(expected)
        if kinds:
            expected, metadata, here = kinds.get(str(part)), (), kinds
            continue
        tagged = _list_tags(expected)
        if tagged:
            expected, metadata = tagged.get(str(part), (None, ()))
            continue
        if _is_union(expected):
            if union is None:
                union, union_type = path, expected
            expected, metadata = _variant(expected, str(part))
            continue
        if _is_section(expected):
            owner, owner_path, family, siblings, here = expected, path, field, here, {}
            field = str(part)
        expected, metadata = _below(expected, part)
        path = (*path, part)
    return SchemaPlace(
        path, expected, metadata, field, owner, owner_path, family, siblings, union, union_type
    )


def strip_annotation(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without its Annotated and its None, and the metadata it had.

    A union of kinds is the union of their classes.
    """
    metadata: tuple[Any, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *found = get_args(annotation)
            for each in found:
                metadata += tuple(each.metadata) if isinstance(each, FieldInfo) else (each,)
        elif _is_union(annotation) and type(None) in get_args(annotation):
            rest = tuple(each for each in get_args(annotation) if each is not type(None))
            annotation = Union[rest]  # noqa: UP007  # made from a tuple
        elif kinds := load_kinds(annotation):
            annotation = Union[kinds]  # noqa: UP007  # made from a tuple
        else:
            return annotation, metadata


def list_kinds(annotation: Any) -> dict[str, type[BaseModel]]:
    """Return the kinds of a union by name; empty for any other type."""
    union, _ = strip_annotation(annotation)
    if not _is_union(union):
        return {}
    members = [strip_annotation(each)[0] for each in get_args(union)]
    if not all(_is_section(each) and "kind" in each.model_fields for each in members):
        return {}
    return {get_args(each.model_fields["kind"].annotation)[0]: each for each in members}


def _list_tags(annotation: Any) -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """Return the types of a union that tells them apart itself, by their tags."""
    members = [strip_annotation(each) for each in list_members(annotation)]
    tagged = {
        each.tag: (bare, metadata)
        for bare, metadata in members
        for each in metadata
        if isinstance(each, Tag)
    }
    return tagged if len(tagged) == len(members) else {}


def list_members(annotation: Any) -> tuple[Any, ...]:
    """Return the types of a union; none for any other type."""
    bare, _ = strip_annotation(annotation)
    return get_args(bare) if _is_union(bare) else ()


def find_item_type(annotation: Any) -> Any:
    """Return the type of a list's first item, or None for what is no list."""
    bare, _ = strip_annotation(annotation)
    return strip_annotation(get_args(bare)[0])[0] if get_origin(bare) is tuple else None


def describe_type(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """Say what a value of a type is: `a whole number`, `a list of 2 numbers`."""
    bare, found = strip_annotation(annotation)
    if bare == Bounds:
        return _BOUNDS
    for each in (*metadata, *found):
        if isinstance(each, WithJsonSchema) and each.json_schema:
            told = str(each.json_schema.get("description", "")).rstrip(".")
            return told[:1].lower() + told[1:]
    if bare in _SCALARS:
        return _SCALARS[bare][0]
    return _compound_words(bare)


def describe_limits(annotation: Any, metadata: Iterable[Any]) -> str:
    """Say what a number must keep to: `more than 50 and at most 100`; empty if nothing."""
    whole = strip_annotation(annotation)[0] is int
    told = []
    for each in (*metadata, *strip_annotation(annotation)[1]):
        if isinstance(each, Gt):
            told.append(f"at least {each.gt + 1}" if whole else f"more than {each.gt}")  # type: ignore[operator]
        elif isinstance(each, Ge):
            told.append(f"at least {each.ge}")
        elif isinstance(each, Lt):
            told.append(f"less than {each.lt}")
        elif isinstance(each, Le):
            told.append(f"at most {each.le}")
    return " and ".join(dict.fromkeys(told))


def find_sections_with(name: str) -> list[str]:
    """Return the sections of a recipe that have an option of this name."""
    found = []
    for section, field in Recipe.model_fields.items():
        bare, _ = strip_annotation(field.annotation)
        if name in getattr(bare, "model_fields", {}):
            found.append(section)
    return found


def join_names(names: Iterable[str], word: str) -> str:
    """Join names as in a sentence: `a, b or c`."""
    *most, last = [*names] or [""]
    return f"{', '.join(most)} {word} {last}" if most else last


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in {Union, types.UnionType}


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _below(annotation: Any, part: str | int) -> tuple[Any, tuple[Any, ...]]:
    """Return the type of what stands below a key or position, or None where it is not known."""
    if _is_section(annotation):
        field = annotation.model_fields.get(part)
        if field is None:
            return None, ()
        bare, found = strip_annotation(field.annotation)
        return bare, (*field.metadata, *found)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return strip_annotation(inner[1])
    if origin is tuple and isinstance(part, int):
        if inner[-1] is Ellipsis:
            return strip_annotation(inner[0])
        return strip_annotation(inner[part]) if part < len(inner) else (None, ())
    return None, ()


def _variant(union: Any, label: str) -> tuple[Any, tuple[Any, ...]]:
    """Return the member of a union that pydantic calls by `label`."""
    for member in get_args(union):
        bare, metadata = strip_annotation(member)
        name = getattr(get_origin(bare) or bare, "__name__", "")
        if label.removeprefix("constrained-").split("[")[0] == name:
            return bare, metadata
    return None, ()


def _compound_words(bare: Any) -> str:
    origin, inner, kinds = get_origin(bare), get_args(bare), list_kinds(bare)
    if origin is Literal:
        return join_names([f"`{each}`" for each in inner], "or")
    if origin is tuple:
        return _list_words(inner)
    if kinds:
        return f"a mapping with a `kind` ({', '.join(sorted(kinds))})"
    return _union_words(inner) if _is_union(bare) else "a mapping"


def _list_words(items: tuple[Any, ...]) -> str:
    kind = _SCALARS.get(strip_annotation(items[0])[0], ("", ""))[1]
    if items[-1] is Ellipsis:
        return f"a list of {kind}" if kind else "a list"
    return f"a list of {len(items)} {kind or 'items'}"


def _union_words(members: tuple[Any, ...]) -> str:
    bare = [strip_annotation(each)[0] for each in members]
    told = [
        describe_type(each)
        for each, plain in zip(members, bare, strict=True)
        if not (plain is int and float in bare)
    ]
    return join_names(dict.fromkeys(told), "or")
