"""The sections of a recipe, found in its schema: which there are, and what may stand in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic.fields import FieldInfo

from trtbuild.core.kinds import load_kinds, name_kind
from trtbuild.core.options import Options

__all__ = ["RecipeSection", "find_sections", "format_default", "name_kind"]

GIBIBYTE = 2**30


@dataclass(frozen=True)
class RecipeSection:
    """A part of a recipe that has options of its own."""

    place: str
    """Where it stands, by the names of the options that lead there: `data.preprocess`."""
    classes: tuple[type[Options], ...]
    """Its one class, or a class for each of its kinds, in the order of the union."""

    @property
    def name(self) -> str:
        """Return the last name of its place."""
        return self.place.rpartition(".")[2]

    @property
    def has_kinds(self) -> bool:
        """Tell whether `kind` says which of its classes is meant."""
        return "kind" in self.classes[0].model_fields


def find_sections() -> tuple[RecipeSection, ...]:
    """Return every section below a recipe, outer ones first, in the order of the schema.

    One that several others hold (`preprocess`) is named where it comes first among the outermost,
    and one that allows a part of another's kinds (`calibrators`) is left out.
    """
    from trtbuild.recipe.schema import Recipe

    every = dict.fromkeys(_walk(Recipe, ""))
    found: list[RecipeSection] = []
    for section in sorted(every, key=lambda each: each.place.count(".")):
        if not any(set(section.classes) <= set(other.classes) for other in found):
            found.append(section)
    return tuple(section for section in every if section in found)


def format_default(field: FieldInfo) -> str:
    """Write a default as it would stand in YAML; `required`, or `none`, where there is none."""
    if field.is_required():
        return "required"
    value = field.get_default()
    match value:
        case bool():
            return str(value).lower()
        case Options() if "kind" in type(value).model_fields:
            return f"{{kind: {name_kind(type(value))}}}"
        case tuple() if value:
            return f"[{', '.join(map(str, value))}]"
        case int() if value >= GIBIBYTE and value % GIBIBYTE == 0:
            return f"{value // GIBIBYTE}GiB"
    empty = value is None or value in ((), {}, "") or isinstance(value, Options)
    return "none" if empty else str(value)


def _walk(owner: type[Options], place: str) -> Iterator[RecipeSection]:
    for name, field in owner.model_fields.items():
        classes = tuple(dict.fromkeys(_find_classes(field.annotation)))
        if classes:
            below = f"{place}.{name}" if place else name
            yield RecipeSection(below, classes)
            for each in classes:
                yield from _walk(each, below)


def _find_classes(annotation: Any) -> Iterator[type[Options]]:
    """Yield the option classes inside Optional, Annotated, a union, a list or a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, Options):
        yield annotation
        return
    for part in load_kinds(annotation) or get_args(annotation):
        yield from _find_classes(part)
