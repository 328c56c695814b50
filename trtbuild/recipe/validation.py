"""What pydantic says of a recipe, in our words and at the right line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trtbuild.core.options import descriptions
from trtbuild.recipe import hints
from trtbuild.recipe.problems import MOST_PROBLEMS, Path, Problem, dotted, near
from trtbuild.recipe.scalars import short
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.shape import Place, kinds_of, limits, listed, place_of, words
from trtbuild.recipe.source import Source

__all__ = ["problems_of"]

_NOUNS = {"data": "data source", "fixes": "fix", "targets": "target"}
_KEY = "[key]"


@dataclass(frozen=True)
class _Finding:
    """One error of pydantic's, at its place in the file."""

    type: str
    place: Place
    context: dict[str, Any]
    value: Any
    is_key: bool
    beyond: int
    """How far below its union, if there is one, the error lies."""

    @property
    def label(self) -> str:
        """The option's name as a message has it: `crop`, `metrics[0]`."""
        path = self.place.path
        named = [index for index, part in enumerate(path) if isinstance(part, str)]
        return short(dotted(path[named[-1] :])) if named else "the recipe"


def problems_of(error: ValidationError, source: Source) -> list[Problem]:
    """Return a problem for each thing that is wrong, none for what only follows from another."""
    findings = [_finding(each) for each in error.errors(include_url=False)]
    findings = [each for each in findings if not _is_known(each.place.path, source)]
    findings = _one_a_union(_without_echoes(findings))
    findings.sort(key=lambda each: _position(each, source))
    return [_problem(each, source) for each in findings[: MOST_PROBLEMS + 1]]


def _finding(error: ErrorDetails) -> _Finding:
    loc, kind = error["loc"], error["type"]
    is_key = bool(loc) and loc[-1] == _KEY and kind not in {"extra_forbidden", "missing"}
    place = place_of(loc[:-1] if is_key else loc)
    beyond = 0 if place.union is None else len(place.path) - len(place.union)
    return _Finding(kind, place, error.get("ctx", {}), error["input"], is_key, beyond)


def _is_known(path: Path, source: Source) -> bool:
    """Tell whether a problem of the text itself already covers a place."""
    node = source.root
    for part in path:
        child = node.child(part)
        if node.bad or child is None:
            return node.bad
        node = child
    return node.bad if isinstance(node.value, dict) else not node.sound


def _position(finding: _Finding, source: Source) -> tuple[int, int]:
    mark = source.find(finding.place.path, key=_points_at_key(finding))
    return mark.line, mark.column


def _points_at_key(finding: _Finding) -> bool:
    return finding.is_key or finding.type == "extra_forbidden"


def _without_echoes(findings: list[_Finding]) -> list[_Finding]:
    """Drop what only follows from another finding: fixing that one would fix it too."""
    nameless = {each.place.path[:-1] for each in findings if _lacks_name(each)}
    unknown = [each for each in findings if each.type == "extra_forbidden"]
    elsewhere = {(each.place.owner_path, _meant(each)) for each in unknown}
    elsewhere |= {((), str(each.place.path[-1])) for each in unknown}
    return [
        each
        for each in findings
        if (_lacks_name(each) or each.place.path[:-1] not in nameless)
        and not (
            each.type == "missing" and (each.place.owner_path, each.place.path[-1]) in elsewhere
        )
        and not _counts_only_the_sound(each)
    ]


def _lacks_name(finding: _Finding) -> bool:
    """Tell whether a `kind` stands where the name of a data source or target should."""
    place = finding.place
    named = place.path[-1:] == ("kind",) and bool(kinds_of(place.expected))
    return named and isinstance(finding.value, str)


def _counts_only_the_sound(finding: _Finding) -> bool:
    """Tell whether a list is only too short because its bad items were not counted."""
    least = finding.context.get("min_length", 0)
    sized = isinstance(finding.value, list | dict)
    return finding.type == "too_short" and sized and len(finding.value) >= least


def _one_a_union(findings: list[_Finding]) -> list[_Finding]:
    """Keep, of each union without a `kind`, what concerns the type that came nearest."""
    kept = [each for each in findings if each.place.union is None]
    unions: dict[Path, list[_Finding]] = {}
    for each in findings:
        if each.place.union is not None:
            unions.setdefault(each.place.union, []).append(each)
    for group in unions.values():
        deeper = [each for each in group if each.beyond]
        near_misses = [each for each in group if not each.type.endswith("_type")]
        kept += deeper or near_misses[:1] or group[:1]
    return kept


def _problem(finding: _Finding, source: Source) -> Problem:
    tell = _TELL.get(finding.type, _type_told)
    path, message, hint = tell(finding)
    if tell is _type_told and not hint:
        hint = hints.for_type(path, finding.value, finding.place.expected, source)
    return source.problem(path, message, hint, key=_points_at_key(finding))


_Told = tuple[Path, str, str]
"""path, message, hint."""


def _type_told(finding: _Finding) -> _Told:
    place = finding.place
    if _lacks_name(finding):
        noun = _NOUNS[place.field]
        told = f"`kind` stands where the name of a {noun} should"
        return place.path, told, f"name the {noun}, and write its options below that name"
    if place.union is not None and not finding.beyond:
        wanted = words(place.union_type)
    else:
        wanted = words(place.expected, place.metadata)
    told = f"`{finding.label}` must be {wanted}, not {hints.described(finding.value)}"
    return place.path, told, ""


def _choice_told(finding: _Finding) -> _Told:
    path, told, _ = _type_told(finding)
    choices = [str(each) for each in get_args(finding.place.expected)]
    guess = near(finding.value, choices) if isinstance(finding.value, str) else None
    return path, told, f"did you mean `{guess}`?" if guess else ""


def _missing_told(finding: _Finding) -> _Told:
    place = finding.place
    key = place.path[-1]
    if isinstance(key, int):
        items = len(finding.value)
        label = short(dotted(place.path[-2:-1]))
        told = f"`{label}` has {_counted(items, 'item')}; it needs {key + 1}"
        return place.path[:-1], told, _union_hint(place)
    return place.path, f"{_owner(place)} needs `{key}`", f"add `{key}`: {_about(place, key)}"


def _about(place: Place, key: str) -> str:
    """Say what an option is: the opening of its docstring, or the type of its value."""
    text = descriptions(place.owner).get(key)
    if text is None:
        return words(place.expected, place.metadata)
    opening = re.split(r"[;.](?=\s|$)", text)[0].replace("\n", " ")
    kinds = sorted(kinds_of(place.expected))
    listing = f" (kinds: {', '.join(kinds)})" if kinds else ""
    return f"{opening[:1].lower()}{opening[1:]}{listing}"


def _unknown_told(finding: _Finding) -> _Told:
    place = finding.place
    name = str(place.path[-1])
    options = sorted(set(place.owner.model_fields) - {"kind"})
    hint = _belongs(place)
    if not hint and (guess := _meant(finding)):
        hint = f"did you mean `{guess}`?"
    elif not hint:
        hint = f"its options: {', '.join(options)}" if options else "it has no options"
    word = "a section" if not place.owner_path else "an option"
    return place.path, f"`{short(name)}` is not {word} of {_owner(place)}", hint


def _kind_told(finding: _Finding) -> _Told:
    place = finding.place
    path = (*place.path, "kind")
    written = finding.value.get("kind")
    known = sorted(kinds_of(place.expected))
    if not isinstance(written, str):
        return (
            path,
            f"`kind` must be text, not {hints.described(written)}",
            f"kinds: {', '.join(known)}",
        )
    guess = near(written, known)
    hint = f"did you mean `{guess}`? " if guess else ""
    told = f"`{short(written)}` is not a kind of {_noun(place.field)}"
    return path, told, f"{hint}kinds: {', '.join(known)}"


def _no_kind_told(finding: _Finding) -> _Told:
    place = finding.place
    kinds = kinds_of(place.expected)
    given = set(finding.value) - {"kind"}
    fitting = sorted(kind for kind, each in kinds.items() if given <= set(each.model_fields))
    hint = f"kinds: {', '.join(sorted(kinds))}"
    if given and len(fitting) == 1:
        hint = f"its options are those of `kind: {fitting[0]}`; {hint}"
    return place.path, f"the {_noun(place.field)} needs a `kind`", hint


def _limits_told(finding: _Finding) -> _Told:
    place = finding.place
    wanted = limits(place.expected, place.metadata)
    told = f"`{finding.label}` must be {wanted}, not {hints.described(finding.value)}"
    return place.path, told, ""


def _count_told(finding: _Finding) -> _Told:
    items = _counted(len(finding.value), "item")
    least, most = finding.context.get("min_length"), finding.context.get("max_length")
    wanted = f"at least {least}" if most is None else f"{most}"
    told = f"`{finding.label}` has {items}; it needs {wanted}"
    if not finding.value:
        return finding.place.path, f"`{finding.label}` is empty", "write at least one"
    return finding.place.path, told, _union_hint(finding.place)


def _pattern_told(finding: _Finding) -> _Told:
    text = str(finding.value)
    told, hint = hints.for_pattern(str(finding.context.get("pattern")), text, finding.label)
    return finding.place.path, told, hint


def _length_told(finding: _Finding) -> _Told:
    name = short(str(finding.value)) if finding.is_key else finding.label
    if finding.type == "string_too_short":
        where = "a name or pattern" if finding.is_key else f"`{name}`"
        return finding.place.path, f"{where} is empty", "write text"
    most = finding.context.get("max_length")
    return finding.place.path, f"`{name}` is longer than {most} characters", "shorten it"


def _own_words_told(finding: _Finding) -> _Told:
    """Take a validator's own message; what it says to write is the hint."""
    told = str(finding.context.get("error", "cannot be used"))
    message, semicolon, move = told.rpartition("; ")
    if semicolon and move.split(" ")[0] in {"write", "use", "add", "remove", "install"}:
        return finding.place.path, message, move
    return finding.place.path, told, ""


_TELL: dict[str, Callable[[_Finding], _Told]] = {
    "missing": _missing_told,
    "extra_forbidden": _unknown_told,
    "union_tag_invalid": _kind_told,
    "union_tag_not_found": _no_kind_told,
    "literal_error": _choice_told,
    "greater_than": _limits_told,
    "greater_than_equal": _limits_told,
    "less_than": _limits_told,
    "less_than_equal": _limits_told,
    "too_short": _count_told,
    "too_long": _count_told,
    "string_pattern_mismatch": _pattern_told,
    "string_too_short": _length_told,
    "string_too_long": _length_told,
    "value_error": _own_words_told,
}
"""What is not here is a wrong type."""


def _belongs(place: Place) -> str:
    """Say where an option that does not belong here does belong; empty if nowhere."""
    name = str(place.path[-1])
    if name in Recipe.model_fields:
        return f"`{name}` is a section of its own, and begins in the first column"
    kinds = sorted(kind for kind, each in place.siblings.items() if name in each.model_fields)
    if kinds:
        return f"it is an option of `kind: {listed(kinds, 'or')}`"
    sections = [f"`{each}`" for each in hints.sections_with(name)]
    return f"it belongs in {listed(sections, 'or')}" if sections else ""


def _meant(finding: _Finding) -> str | None:
    """Return the option that an unknown one was probably meant to be."""
    if _belongs(finding.place):
        return None
    return near(str(finding.place.path[-1]), finding.place.owner.model_fields)


def _union_hint(place: Place) -> str:
    return "" if place.union is None else f"write {words(place.union_type)}"


def _owner(place: Place) -> str:
    """Name what a place is an option of: `the percentile calibrator`, `quantization`."""
    for kind, each in place.siblings.items():
        if each is place.owner:
            return f"the {kind} {_noun(place.family)}"
    keys = [part for part in place.owner_path if isinstance(part, str)]
    return f"`{short(keys[-1])}`" if keys else "a recipe"


def _noun(field: str) -> str:
    return _NOUNS.get(field, field)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
