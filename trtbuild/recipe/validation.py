"""What pydantic says of a recipe, in our words and at the right line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, get_args

from pydantic import ValidationError

from trtbuild.core.options import describe_fields
from trtbuild.recipe import hints
from trtbuild.recipe.findings import Finding, collect_findings, find_home, find_replacement
from trtbuild.recipe.metric_rules import find_metric_of
from trtbuild.recipe.problems import Path, Problem, find_nearest, format_path
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.schema_places import (
    SchemaPlace,
    describe_limits,
    describe_type,
    join_names,
    list_kinds,
)
from trtbuild.recipe.source import RecipeText
from trtbuild.sources.foreign import hint_for_kind

__all__ = ["translate_errors"]

_NOUNS = {
    "calibrators": "calibrator",
    "data": "data source",
    "fixes": "fix",
    "metrics": "metric",
    "targets": "target",
    "weights": "scaling of weights",
}
_MODELS = ("model", "reference")
"""The sections where a framework may stand for a kind."""

_Told = tuple[Path, str, str]
"""path, message, hint."""


def translate_errors(error: ValidationError, source: RecipeText) -> list[Problem]:
    """Return a problem for each thing that is wrong, none for what only follows from another."""
    return [_problem(each, source) for each in collect_findings(error, source)]


def _problem(finding: Finding, source: RecipeText) -> Problem:
    wrong_type = finding.type.endswith("_type")
    tell = _TELL.get(finding.type, _tell_type if wrong_type else _tell_said)
    path, message, hint = tell(finding)
    if wrong_type and not hint:
        whole = finding.place.union is not None and not finding.beyond
        expected = finding.place.union_type if whole else finding.place.expected
        for each in () if whole else finding.place.metadata:
            expected = Annotated[expected, each]
        hint = hints.hint_for_type(path, finding.value, expected, source)
    at_key = finding.is_key or finding.type == "extra_forbidden"
    return source.problem(path, message, hint, key=at_key)


def _tell_type(finding: Finding) -> _Told:
    place = finding.place
    if finding.lacks_name:
        hint = f"write a name, and below it the options of the {_noun(place.field)}"
        return place.path, "`kind` stands where a name should", hint
    if place.union is not None and not finding.beyond:
        wanted = describe_type(place.union_type)
    else:
        wanted = describe_type(place.expected, place.metadata)
    told = f"`{finding.label}` must be {wanted}, not {hints.describe_value(finding.value)}"
    return place.path, told, ""


_ALIASES = (
    frozenset({"fp32", "float", "float32", "single"}),
    frozenset({"fp16", "half", "float16"}),
    frozenset({"bf16", "bfloat16"}),
    frozenset({"top1", "accuracy", "acc"}),
)
"""What one type, or one metric, is called here and elsewhere."""


def _tell_choice(finding: Finding) -> _Told:
    path, told, _ = _tell_type(finding)
    choices = [str(each) for each in get_args(finding.place.expected)]
    if finding.is_key:
        choices = re.findall(r"'([^']*)'", str(finding.context.get("expected", "")))
        known = join_names([f"`{each}`" for each in choices], "and")
        told = f"`{finding.label}` is no key of `{finding.place.field}`, which has {known}"
    value = finding.value if isinstance(finding.value, str) else ""
    names = next((each for each in _ALIASES if value.lower() in each), frozenset())
    alias = next((each for each in choices if each in names), None)
    guess = alias or find_nearest(value, choices)
    hint = find_replacement(finding.place.owner, value) or (
        f"did you mean `{guess}`?" if guess else ""
    )
    if alias is None and "metrics" in path and (maker := find_metric_of(value)):
        hint = f"write {maker}; it yields that figure"
    return path, told, hint


def _tell_missing(finding: Finding) -> _Told:
    place = finding.place
    key = place.path[-1]
    if isinstance(key, int):
        items = len(finding.value)
        label = clip(format_path(place.path[-2:-1]))
        told = f"`{label}` has {_count(items, 'item')}; it needs {key + 1}"
        return place.path[:-1], told, _union_hint(place)
    return place.path, f"{_owner(place)} needs `{key}`", f"add `{key}`: {_about(place, key)}"


def _about(place: SchemaPlace, key: str) -> str:
    """Say what an option is: the opening of its docstring, or the type of its value."""
    text = describe_fields(place.owner).get(key)
    if text is None:
        return describe_type(place.expected, place.metadata)
    opening = re.split(r"[;.](?=\s|$)", text)[0].replace("\n", " ")
    kinds = sorted(list_kinds(place.expected))
    listing = f" (kinds: {', '.join(kinds)})" if kinds else ""
    return f"{opening[:1].lower()}{opening[1:]}{listing}"


def _tell_unknown(finding: Finding) -> _Told:
    place = finding.place
    name = str(place.path[-1])
    options = sorted(set(place.owner.model_fields) - {"kind"})
    what = "option" if place.owner_path else "section"
    hint = find_home(place)
    if not hint and finding.meant is not None:
        hint = f"did you mean `{finding.meant}`?"
    elif not hint:
        hint = f"{what}s: {', '.join(options)}" if options else f"it has no {what}s"
    article = "an" if place.owner_path else "a"
    return place.path, f"`{clip(name)}` is not {article} {what} of {_owner(place)}", hint


def _tell_kind(finding: Finding) -> _Told:
    place = finding.place
    path = (*place.path, "kind")
    written = finding.value.get("kind")
    known = sorted(list_kinds(place.expected))
    if not isinstance(written, str):
        told = f"`kind` must be text, not {hints.describe_value(written)}"
        return path, told, f"kinds: {', '.join(known)}"
    guess = find_nearest(written, known)
    hint = f"did you mean `{guess}`? " if guess else ""
    told = f"`{clip(written)}` is not a kind of {_noun(place.field)}"
    if place.field in _MODELS and (way := hint_for_kind(written)):
        hint = f"{way}; "
    return path, told, f"{hint}kinds: {', '.join(known)}"


def _tell_no_kind(finding: Finding) -> _Told:
    place = finding.place
    kinds = list_kinds(place.expected)
    given = set(finding.value) - {"kind"}
    fitting = sorted(kind for kind, each in kinds.items() if given <= set(each.model_fields))
    hint = f"kinds: {', '.join(sorted(kinds))}"
    if given and len(fitting) == 1:
        hint = f"its options are those of `kind: {fitting[0]}`; {hint}"
    return place.path, f"the {_noun(place.field)} needs a `kind`", hint


def _tell_limits(finding: Finding) -> _Told:
    place = finding.place
    wanted = describe_limits(place.expected, place.metadata)
    told = f"`{finding.label}` must be {wanted}, not {hints.describe_value(finding.value)}"
    return place.path, told, hints.hint_for_limits(finding.value, place)


def _tell_count(finding: Finding) -> _Told:
    items = _count(len(finding.value), "item")
    least, most = finding.context.get("min_length"), finding.context.get("max_length")
    wanted = f"at least {least}" if most is None else f"{most}"
    told = f"`{finding.label}` has {items}; it needs {wanted}"
    if not finding.value:
        return finding.place.path, f"`{finding.label}` is empty", "write at least one"
    return finding.place.path, told, _union_hint(finding.place)


def _tell_pattern(finding: Finding) -> _Told:
    text = str(finding.value)
    told, hint = hints.hint_for_pattern(str(finding.context.get("pattern")), text, finding.label)
    return finding.place.path, told, hint


def _tell_length(finding: Finding) -> _Told:
    name = clip(str(finding.value)) if finding.is_key else finding.label
    if finding.type == "string_too_short":
        where = "a name or pattern" if finding.is_key else f"`{name}`"
        return finding.place.path, f"{where} is empty", "write some text"
    most = finding.context.get("max_length")
    return finding.place.path, f"`{name}` is longer than {most} characters", "shorten it"


def _tell_own_words(finding: Finding) -> _Told:
    """Take a validator's own message; what it says to write is the hint."""
    told = str(finding.context.get("error", "cannot be used"))
    message, semicolon, move = told.rpartition("; ")
    if semicolon and move.split(" ")[0] in {"write", "use", "add", "remove", "install"}:
        return finding.place.path, message, move
    return finding.place.path, told, ""


def _tell_said(finding: Finding) -> _Told:
    return finding.place.path, f"`{finding.label}`: {finding.said}", ""


_TELL: dict[str, Callable[[Finding], _Told]] = {
    "missing": _tell_missing,
    "extra_forbidden": _tell_unknown,
    "union_tag_invalid": _tell_kind,
    "union_tag_not_found": _tell_no_kind,
    "literal_error": _tell_choice,
    "greater_than": _tell_limits,
    "greater_than_equal": _tell_limits,
    "less_than": _tell_limits,
    "less_than_equal": _tell_limits,
    "too_short": _tell_count,
    "too_long": _tell_count,
    "string_pattern_mismatch": _tell_pattern,
    "string_too_short": _tell_length,
    "string_too_long": _tell_length,
    "value_error": _tell_own_words,
}
"""What is not here is a wrong type, or told in pydantic's words."""


def _union_hint(place: SchemaPlace) -> str:
    return "" if place.union is None else f"write {describe_type(place.union_type)}"


def _owner(place: SchemaPlace) -> str:
    """Name what a place is an option of: `the percentile calibrator`, `quantization`."""
    for kind, each in place.siblings.items():
        if each is place.owner:
            return f"the {kind} {_noun(place.family)}"
    keys = [part for part in place.owner_path if isinstance(part, str)]
    return f"`{clip(keys[-1])}`" if keys else "a recipe"


def _noun(field: str) -> str:
    return _NOUNS.get(field, field)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
