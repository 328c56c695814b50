"""The next move for a value of the wrong type or form."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from trtbuild.backends.tensorrt.gpu_names import find_capability
from trtbuild.recipe.guesses import guess_value, is_taken, write_flow
from trtbuild.recipe.problems import Path, find_nearest
from trtbuild.recipe.scalars import UnclearScalar, clip, resolve_scalar
from trtbuild.recipe.schema import NAME_PATTERN
from trtbuild.recipe.schema_places import (
    SchemaPlace,
    describe_type,
    find_item_type,
    list_kinds,
    strip_annotation,
)
from trtbuild.recipe.source import RecipeText, parse_recipe_text

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = [
    "describe_value",
    "find_proposal",
    "hint_for_limits",
    "hint_for_pattern",
    "hint_for_type",
]

_FOR_OPEN = {
    "model": "an open size has a name: `batch`",
    "profiles": "write sizes: min, opt and max say how far a size that the model leaves open goes",
    "data": "write sizes of one sample, without the batch axis",
}
"""What to write in the place of -1, by section."""
_YES_NO = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_SHA256_PATTERN = "^[0-9a-f]{64}$"
LARGEST_EXACT = 2.0**53
_URL_PATTERN = "^(https|file)://"
_GPU_PATTERN = r"^(sm_)?[0-9]{1,2}\.?[0-9]$"
_VAGUE = ("kinds: ", "write {", "write `name: value`")
"""How the hints begin that leave something to the reader."""
_PROPOSAL = re.compile(
    r"(?:write|remove the quotes:|remove the brackets:|put it in quotes:) "
    r"""`?([\[{"].*?|[^ `]+?)`?(?:; .*|: it means .*)?"""
)
_WORD_PATTERN = "^[A-Za-z_][A-Za-z0-9_]*$"


def describe_value(value: Any) -> str:
    """Say what a value is: `text "8"`, `8`, `a list`."""
    if isinstance(value, str):
        return f"text {clip(json.dumps(value, ensure_ascii=False))}" if value else "empty text"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else "a mapping"


def hint_for_type(path: Path, value: Any, expected: Any, source: RecipeText) -> str:
    """Say what to write instead of a value of the wrong type; empty where that is plain."""
    told = _hint_by_form(path, value, strip_annotation(expected)[0], source)
    if (proposed := find_proposal(told)) is not None and not is_taken(proposed, expected):
        told = ""
    if told and not told.startswith(_VAGUE):
        return told
    guess = guess_value(value, expected)
    if guess is not None:
        return f"write {write_flow(guess)}"
    return told or _list_options(value, strip_annotation(expected)[0])


def _list_options(value: Any, expected: Any) -> str:
    """Show the mapping that is to be written in the place of a word."""
    fields = getattr(expected, "model_fields", {})
    if not isinstance(value, dict | list) and get_origin(expected) is dict:
        below = get_args(get_args(expected)[1])
        words = [each for each in below if isinstance(each, str)]
        like = f"{words[0]}" if words else "value"
        return f"write `name: {like}` below it, a line each"
    if isinstance(value, dict) or not fields:
        return ""
    if isinstance(value, str) and value.startswith(("https://", "file://")) and "url" in fields:
        return (
            f"write {{url: {json.dumps(value)}, sha256: ...}}; `sha256sum FILE` prints the digest"
        )
    return f"write its options below it, as `name: value`: {', '.join(fields)}"


def _hint_by_form(path: Path, value: Any, expected: Any, source: RecipeText) -> str:
    if isinstance(value, str):
        if "compute_capabilities" in path and (capability := find_capability(value)):
            return f"write {capability}"
        node = source.node(path)
        return _for_text(value, expected, quoted=node is not None and node.quoted)
    wanted = describe_type(expected)
    if isinstance(value, list):
        return _for_list(value, wanted, expected)
    if isinstance(value, dict):
        return "begin each item with `- `" if wanted.startswith("a list") else ""
    return _for_plain(value, expected)


def hint_for_limits(value: Any, place: SchemaPlace) -> str:
    """Say what a number beyond its limits was probably meant to be; empty where nobody knows."""
    if value == -1 and {"shape", "min", "opt", "max"} & set(place.path):
        return _FOR_OPEN.get(str(place.path[0]), "")
    if isinstance(value, float) and 0 < value < 1:
        percent = float(f"{100 * value:.10g}")
        if is_taken(percent, Annotated[(place.expected, *place.metadata)]):
            return f"it is in percent: write {percent:g}"
    return ""


def find_proposal(hint: str) -> Any:
    """Return the value that a hint says to write in the place of what is wrong, or None."""
    found = None if "..." in hint else _PROPOSAL.fullmatch(hint)
    text = None if found is None else parse_recipe_text("hint", f"a: {found[1]}".encode())
    return None if text is None or text.problems else text.root.plain["a"]


def hint_for_pattern(pattern: str, text: str, label: str) -> tuple[str, str]:
    """Say in words what form a text must have, and what to write instead."""
    if pattern == NAME_PATTERN:
        guess = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("._-")
        told = (
            "cannot be a name, which has letters, digits, `.`, `_` and `-` and no other characters"
        )
        if not re.match("[A-Za-z0-9]", text):
            told = "cannot be a name, which begins with a letter or digit"
        return (
            f"`{clip(text)}` {told}",
            f"write `{_quoted(guess)}`" if guess else "write a short word",
        )
    if pattern in _BY_PATTERN:
        return _BY_PATTERN[pattern](text, label)
    if pattern == _WORD_PATTERN:
        guess = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
        told = f"`{label}` must be a word of letters, digits and `_`, not {describe_value(text)}"
        return told, f"write `{guess}`" if guess[:1].isalpha() else ""
    if pattern == _URL_PATTERN:
        return f"`{label}` must begin with https:// or file://", ""
    return f"`{label}` does not have the form it must have", f"it must match {pattern}"


def _for_sha256(text: str, label: str) -> tuple[str, str]:
    lower = re.fullmatch("(?i)[0-9a-f]{64}", text) is not None
    hint = "write its letters small" if lower else "`sha256sum FILE` prints them"
    return f"`{label}` must be 64 hexadecimal digits", hint


def _for_gpu(text: str, label: str) -> tuple[str, str]:
    told = f"`{label}` must be a compute capability (sm_90), not {describe_value(text)}"
    digits = re.fullmatch("(?i)(?:sm|cc|compute)?[_ -]?([0-9]{1,2}[.]?[0-9])a?", text)
    if digits:
        return told, f"write `sm_{digits[1].replace('.', '')}`"
    if capability := find_capability(text):
        return told, f"write `sm_{10 * capability:g}`"
    return told, "`nvidia-smi --query-gpu=name,compute_cap --format=csv` prints it"


_BY_PATTERN = {_SHA256_PATTERN: _for_sha256, _GPU_PATTERN: _for_gpu}


def _for_plain(value: float | None, expected: Any) -> str:
    if expected is str:
        return f'put it in quotes: "{_write_value(value)}"'
    if expected is int and isinstance(value, float) and abs(value) < LARGEST_EXACT:
        return f"write {int(value)}" if value.is_integer() else ""
    return ""


def _for_text(text: str, expected: Any, *, quoted: bool) -> str:
    kinds = list_kinds(expected)
    if kinds:
        guess = find_nearest(text, kinds)
        return _least(guess, kinds[guess]) if guess else f"kinds: {', '.join(sorted(kinds))}"
    if expected is bool:
        guess = _YES_NO.get(text.lower())
        return f"write {guess}; yes, no, on and off are text in YAML 1.2" if guess else ""
    if expected in {int, float}:
        return _for_number(text, quoted=quoted)
    if find_item_type(expected) is str and text:
        return f"write [{json.dumps(clip(text), ensure_ascii=False)}]"
    return ""


def _least(kind: str, options: type[BaseModel]) -> str:
    """Show the mapping of a kind with all that it needs."""
    needed = [name for name, each in options.model_fields.items() if each.is_required()]
    pairs = [f"{name}: {kind if name == 'kind' else '...'}" for name in needed]
    return f"write {{{', '.join(pairs)}}}"


def _for_number(text: str, *, quoted: bool) -> str:
    if quoted and _is_number(text):
        return f"remove the quotes: {text}"
    if _is_number(text.replace("_", "")):
        return f"write {text.replace('_', '')}"
    if _is_number(text.rstrip("%")):
        return f"write {text.rstrip('%')}"
    fraction = re.fullmatch(r"([0-9.]+) */ *([0-9.]+)", text)
    if fraction and all(map(_is_number, fraction.groups())) and float(fraction[2]):
        return f"a recipe does not calculate; write {float(fraction[1]) / float(fraction[2])!r}"
    return ""


def _for_list(value: list[Any], wanted: str, expected: Any) -> str:
    if wanted.startswith("a mapping"):
        fields = getattr(expected, "model_fields", {})
        needed = ", ".join(f"{name}: ..." for name, each in fields.items() if each.is_required())
        return (
            f"write {{{needed}}}" if needed else "write `name: value`, without dashes or brackets"
        )
    if len(value) == 1 and not isinstance(value[0], list | dict):
        return f"remove the brackets: {_write_value(value[0])}"
    return ""


def _quoted(word: str) -> str:
    """Return a word as text: one that YAML takes for a number needs quotes."""
    return json.dumps(word) if _is_number(word) else word


def _is_number(text: str) -> bool:
    try:
        value = resolve_scalar(text)
    except UnclearScalar:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _write_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
