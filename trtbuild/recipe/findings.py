"""Pydantic's errors at their places in the file, and only those that stand on their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trtbuild.recipe.problems import Path, find_nearest, format_path
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.schema_places import (
    SchemaPlace,
    find_place,
    find_sections_with,
    join_names,
    list_kinds,
)
from trtbuild.recipe.source import RecipeText

__all__ = ["Finding", "collect_findings", "find_home", "find_meant", "find_replacement"]

MOST_ERRORS = 1000
"""More than anybody reads: a bound on the work that a file which is no recipe can make."""
_KEY = "[key]"


@dataclass(frozen=True)
class Finding:
    """One error of pydantic's, at its place in the file."""

    type: str
    place: SchemaPlace
    context: dict[str, Any]
    value: Any
    said: str
    """Pydantic's own words."""
    is_key: bool
    """It is the key itself that is wrong, and not what stands under it."""
    beyond: int
    """How far below its union, if there is one, the error lies."""

    @property
    def label(self) -> str:
        """The option's name as a message has it: `crop`, `metrics[0]`."""
        path = self.place.path
        named = [index for index, part in enumerate(path) if isinstance(part, str)]
        return clip(format_path(path[named[-1] :])) if named else "the recipe"

    @property
    def lacks_name(self) -> bool:
        """A `kind` stands where the name of a data source or target should."""
        named = self.place.path[-1:] == ("kind",) and bool(list_kinds(self.place.expected))
        return named and isinstance(self.value, str)

    @property
    def meant(self) -> str | None:
        """The option that an unknown one was probably meant to be."""
        return find_meant(self.place) if self.type == "extra_forbidden" else None


def collect_findings(error: ValidationError, source: RecipeText) -> list[Finding]:
    """Return what is wrong, without what only follows from another finding."""
    findings = [_finding(each) for each in error.errors(include_url=False)[:MOST_ERRORS]]
    findings = [each for each in findings if not _is_known(each.place.path, source)]
    return _one_a_union(_without_echoes(findings))


def find_meant(place: SchemaPlace) -> str | None:
    """Return the option that an unknown one was probably meant to be."""
    if find_home(place):
        return None
    return find_nearest(str(place.path[-1]), place.owner.model_fields)


def find_home(place: SchemaPlace) -> str:
    """Say where an option that does not belong at a place does; empty if it does nowhere."""
    name = str(place.path[-1])
    if name in Recipe.model_fields:
        return f"`{name}` is a section of its own, and begins in the first column"
    told = find_replacement(place.owner, name)
    if told:
        return told
    kinds = sorted(kind for kind, each in place.siblings.items() if name in each.model_fields)
    if kinds:
        return f"it is an option of `kind: {join_names(kinds, 'or')}`"
    sections = [f"`{each}`" for each in find_sections_with(name)]
    return f"it belongs in {join_names(sections, 'or')}" if sections else ""


def find_replacement(owner: type[BaseModel], word: str) -> str:
    """Say what to use instead of an option or a word that a kind lacks; empty if it says nothing.

    A kind says so in its `instead`: the flavours of TensorRT differ in what they have.
    """
    return str(getattr(owner, "instead", {}).get(word, ""))


def _finding(error: ErrorDetails) -> Finding:
    loc, kind = error["loc"], error["type"]
    is_key = bool(loc) and loc[-1] == _KEY and kind not in {"extra_forbidden", "missing"}
    place = find_place(loc[:-1] if is_key else loc)
    beyond = 0 if place.union is None else len(place.path) - len(place.union)
    return Finding(kind, place, error.get("ctx", {}), error["input"], error["msg"], is_key, beyond)


def _is_known(path: Path, source: RecipeText) -> bool:
    """Tell whether a problem of the text itself already covers a place."""
    node = source.root
    for part in path:
        child = node.child(part)
        if node.bad or child is None:
            return node.bad
        node = child
    if isinstance(node.value, dict):
        kind = node.value.get("kind")
        return node.bad or (kind is not None and kind.bad)
    return not node.sound


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """Drop what only follows from another finding: fixing that one would fix it too."""
    nameless = {each.place.path[:-1] for each in findings if each.lacks_name}
    unknown = [each for each in findings if each.type == "extra_forbidden"]
    elsewhere = {(each.place.owner_path, each.meant) for each in unknown}
    elsewhere |= {((), str(each.place.path[-1])) for each in unknown}
    absent = {each.place.path for each in findings if each.type == "missing"}
    return [
        each
        for each in findings
        if (each.lacks_name or each.place.path[:-1] not in nameless)
        and not (
            each.type == "missing" and (each.place.owner_path, each.place.path[-1]) in elsewhere
        )
        and not _counts_only_the_sound(each)
        and not (each.type == "missing" and _next(each.place.path) in absent)
    ]


def _next(path: Path) -> Path | None:
    """Return the place after a list's item; of items that are missing, only the last is told."""
    return (*path[:-1], path[-1] + 1) if path and isinstance(path[-1], int) else None


def _counts_only_the_sound(finding: Finding) -> bool:
    """Tell whether a list is only too short because its bad items were not counted."""
    least = finding.context.get("min_length", 0)
    sized = isinstance(finding.value, list | dict)
    return finding.type == "too_short" and sized and len(finding.value) >= least


def _one_a_union(findings: list[Finding]) -> list[Finding]:
    """Keep, of each union without a `kind`, what concerns the type that came nearest."""
    kept = [each for each in findings if each.place.union is None]
    unions: dict[Path, list[Finding]] = {}
    for each in findings:
        if each.place.union is not None:
            unions.setdefault(each.place.union, []).append(each)
    for group in unions.values():
        deeper = [each for each in group if each.beyond]
        near_misses = [each for each in group if not each.type.endswith("_type")]
        kept += deeper or near_misses[:1] or group[:1]
    return kept
