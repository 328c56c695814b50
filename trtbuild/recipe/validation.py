"""What pydantic says of a recipe, in our words and at the right line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

from pydantic import ValidationError

from trtbuild.core.options import descriptions
from trtbuild.recipe import hints
from trtbuild.recipe.findings import Finding, belongs, findings_of, instead
from trtbuild.recipe.problems import Path, Problem, dotted, near
from trtbuild.recipe.scalars import short
from trtbuild.recipe.shape import Place, kinds_of, limits, listed, words
from trtbuild.recipe.source import Source

__all__ = ["problems_of"]

_NOUNS = {
    "calibrators": "calibrator",
    "data": "data source",
    "fixes": "fix",
    "targets": "target",
    "weights": "scaling of weights",
}


_Told = tuple[Path, str, str]
"""path, message, hint."""


def problems_of(error: ValidationError, source: Source) -> list[Problem]:
    """Return a problem for each thing that is wrong, none for what only follows from another."""
    return [_problem(each, source) for each in findings_of(error, source)]


def _problem(finding: Finding, source: Source) -> Problem:
    wrong_type = finding.type.endswith("_type")
    tell = _TELL.get(finding.type, _type_told if wrong_type else _said)
    path, message, hint = tell(finding)
    if wrong_type and not hint:
        hint = hints.for_type(path, finding.value, finding.place.expected, source)
    at_key = finding.is_key or finding.type == "extra_forbidden"
    return source.problem(path, message, hint, key=at_key)


def _type_told(finding: Finding) -> _Told:
    place = finding.place
    if finding.lacks_name:
        hint = f"write a name, and below it the options of the {_noun(place.field)}"
        return place.path, "`kind` stands where a name should", hint
    if place.union is not None and not finding.beyond:
        wanted = words(place.union_type)
    else:
        wanted = words(place.expected, place.metadata)
    told = f"`{finding.label}` must be {wanted}, not {hints.described(finding.value)}"
    return place.path, told, ""


_TYPES = {
    "fp32": "float", "float32": "float", "fp16": "half", "float16": "half", "bfloat16": "bf16",
}  # fmt: skip
"""What TensorRT calls types that go by other names elsewhere."""


def _choice_told(finding: Finding) -> _Told:
    path, told, _ = _type_told(finding)
    choices = [str(each) for each in get_args(finding.place.expected)]
    if finding.is_key:
        choices = re.findall(r"'([^']*)'", str(finding.context.get("expected", "")))
        known = listed([f"`{each}`" for each in choices], "and")
        told = f"`{finding.label}` is no key of `{finding.place.field}`, which has {known}"
    value = finding.value if isinstance(finding.value, str) else ""
    alias = _TYPES.get(value, "")
    guess = alias if alias in choices else near(value, choices)
    hint = instead(finding.place.owner, value) or (f"did you mean `{guess}`?" if guess else "")
    return path, told, hint


def _missing_told(finding: Finding) -> _Told:
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


def _unknown_told(finding: Finding) -> _Told:
    place = finding.place
    name = str(place.path[-1])
    options = sorted(set(place.owner.model_fields) - {"kind"})
    what = "option" if place.owner_path else "section"
    hint = belongs(place)
    if not hint and finding.meant is not None:
        hint = f"did you mean `{finding.meant}`?"
    elif not hint:
        hint = f"{what}s: {', '.join(options)}" if options else f"it has no {what}s"
    article = "an" if place.owner_path else "a"
    return place.path, f"`{short(name)}` is not {article} {what} of {_owner(place)}", hint


def _kind_told(finding: Finding) -> _Told:
    place = finding.place
    path = (*place.path, "kind")
    written = finding.value.get("kind")
    known = sorted(kinds_of(place.expected))
    if not isinstance(written, str):
        told = f"`kind` must be text, not {hints.described(written)}"
        return path, told, f"kinds: {', '.join(known)}"
    guess = near(written, known)
    hint = f"did you mean `{guess}`? " if guess else ""
    told = f"`{short(written)}` is not a kind of {_noun(place.field)}"
    return path, told, f"{hint}kinds: {', '.join(known)}"


def _no_kind_told(finding: Finding) -> _Told:
    place = finding.place
    kinds = kinds_of(place.expected)
    given = set(finding.value) - {"kind"}
    fitting = sorted(kind for kind, each in kinds.items() if given <= set(each.model_fields))
    hint = f"kinds: {', '.join(sorted(kinds))}"
    if given and len(fitting) == 1:
        hint = f"its options are those of `kind: {fitting[0]}`; {hint}"
    return place.path, f"the {_noun(place.field)} needs a `kind`", hint


def _limits_told(finding: Finding) -> _Told:
    place = finding.place
    wanted = limits(place.expected, place.metadata)
    told = f"`{finding.label}` must be {wanted}, not {hints.described(finding.value)}"
    return place.path, told, ""


def _count_told(finding: Finding) -> _Told:
    items = _counted(len(finding.value), "item")
    least, most = finding.context.get("min_length"), finding.context.get("max_length")
    wanted = f"at least {least}" if most is None else f"{most}"
    told = f"`{finding.label}` has {items}; it needs {wanted}"
    if not finding.value:
        return finding.place.path, f"`{finding.label}` is empty", "write at least one"
    return finding.place.path, told, _union_hint(finding.place)


def _pattern_told(finding: Finding) -> _Told:
    text = str(finding.value)
    told, hint = hints.for_pattern(str(finding.context.get("pattern")), text, finding.label)
    return finding.place.path, told, hint


def _length_told(finding: Finding) -> _Told:
    name = short(str(finding.value)) if finding.is_key else finding.label
    if finding.type == "string_too_short":
        where = "a name or pattern" if finding.is_key else f"`{name}`"
        return finding.place.path, f"{where} is empty", "write some text"
    most = finding.context.get("max_length")
    return finding.place.path, f"`{name}` is longer than {most} characters", "shorten it"


def _own_words_told(finding: Finding) -> _Told:
    """Take a validator's own message; what it says to write is the hint."""
    told = str(finding.context.get("error", "cannot be used"))
    message, semicolon, move = told.rpartition("; ")
    if semicolon and move.split(" ")[0] in {"write", "use", "add", "remove", "install"}:
        return finding.place.path, message, move
    return finding.place.path, told, ""


def _said(finding: Finding) -> _Told:
    return finding.place.path, f"`{finding.label}`: {finding.said}", ""


_TELL: dict[str, Callable[[Finding], _Told]] = {
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
"""What is not here is a wrong type, or told in pydantic's words."""


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
