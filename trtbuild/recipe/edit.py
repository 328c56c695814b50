"""Changes to a section of a recipe, made in its text: what else stands there stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import UsageError
from trtbuild.core.escape import escape_controls
from trtbuild.recipe.scalars import UnclearScalar, resolve_scalar
from trtbuild.recipe.source import parse_recipe_text

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

__all__ = ["MARK", "AddedItem", "OptionChange", "edit_section", "write_flow"]

MARK = "# tune: "
"""How a comment begins that is written beside a change: the next change replaces it."""
BIT_BY_BIT = "it is written in a way that cannot be changed bit by bit"
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_BOM = "\ufeff"

Place = tuple[str, ...]
"""The keys that lead to a section: `("quantization",)`, `("variants", "int8", "quantization")`."""


@dataclass(frozen=True)
class AddedItem:
    """What is added to a list, and why."""

    value: str
    remark: str = ""


@dataclass(frozen=True)
class OptionChange:
    """An option that gets another value, or a list that gets longer, and why."""

    key: str
    value: Any = None
    """As plain data; of no account where there are `items`."""
    items: tuple[AddedItem, ...] = ()
    remark: str = ""


def edit_section(file: str, text: str, place: Place, changes: Sequence[OptionChange]) -> str:
    """Return a recipe's text with changes made in a section, by the keys that lead there.

    Comments, order and line ends stay; the remarks stand in lines of their own above what changed,
    and behind what is added to a list. A section within another is begun where it is not there.

    Raises:
        UsageError: the section is written in a way that cannot be changed bit by bit.
    """
    import yaml

    bom = _BOM if text.startswith(_BOM) else ""
    made = text.removeprefix(_BOM)
    _demand_plain(file, made, place)
    expected = parse_recipe_text(file, made.encode()).root.plain
    try:
        for depth in range(len(place)):
            made = _unfold(file, made, place[: depth + 1])
        if not changes:
            return text
        section = _reach(expected, place)
        for change in changes:
            made = _edit(made, place, change)
            _expect(section, change)
    except (yaml.YAMLError, ValueError):
        raise _refuse(file, place, BIT_BY_BIT) from None
    source = parse_recipe_text(file, made.encode())
    if source.problems or source.root.plain != expected:
        raise _refuse(file, place, BIT_BY_BIT)
    return bom + made


def _reach(tree: dict[str, Any], place: Place) -> dict[str, Any]:
    """Return the mapping at a place of a tree, begun where it is not there."""
    for key in place:
        tree = tree.setdefault(key, {})
    return tree


def _expect(section: dict[str, Any], change: OptionChange) -> None:
    if change.items:
        old = section.get(change.key, [])
        section[change.key] = [*old, *(item.value for item in change.items)]
    else:
        section[change.key] = change.value


def _refuse(file: str, place: Place, why: str) -> UsageError:
    return UsageError(
        f"{escape_controls(file)}: the section `{'.'.join(place)}` cannot be edited: {why}",
        hint=f"write `{place[-1]}:` over several lines, an option a line, without anchors and "
        "aliases",
    )


def _demand_plain(file: str, text: str, place: Place) -> None:
    """Demand that a section stands over lines of its own, and that nothing is shared with it."""
    import yaml
    from yaml.tokens import AliasToken, AnchorToken

    if _compose(text).flow_style:
        raise _refuse(file, place, "the recipe is one mapping in braces")
    if _find(text, place[:1]) is None:
        raise _refuse(file, place, "it stands in the recipe that this one extends")
    start, end, node = 0, len(text), _compose(text)
    for name in place:
        keys = {key.value: (key.start_mark.index, value) for key, value in node.value}
        if name not in keys:
            break
        start, node = keys[name]
        end = min((each for each, _ in keys.values() if each > start), default=end)
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        inside = start <= token.start_mark.index < end
        if inside and isinstance(token, AliasToken | AnchorToken):
            raise _refuse(file, place, f"`{token.value}` is shared by an anchor or alias")


def _compose(text: str) -> MappingNode:
    import yaml

    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    return root  # type: ignore[no-any-return]  # it was read as a mapping before


def _find(text: str, place: Place) -> tuple[Node, MappingNode] | None:
    """Return a section and its key; None where it is not there."""
    found: tuple[Any, Any] = (None, _compose(text))
    for name in place:
        under = found[1].value if isinstance(found[1].value, list) else ()
        inner = next((each for each in under if each[0].value == name), None)
        if inner is None:
            return None
        found = inner
    return found


def _demand(text: str, place: Place) -> tuple[Node, MappingNode]:
    found = _find(text, place)
    if found is None:
        raise ValueError(place)
    return found


def _unfold(file: str, text: str, place: Place) -> str:
    """Write a section that is a mapping in braces with an option a line."""
    found = _find(text, place)
    if found is None or not _is_flow(found[1]):
        return text
    key, node = found
    start, end = node.start_mark.index, node.end_mark.index
    ends = [0, *(value.end_mark.index for _, value in node.value)]
    begins = [*(each.start_mark.index for each, _ in node.value), end]
    gaps = zip(ends, begins, strict=True)
    if any("#" in text[max(before, start) : after] for before, after in gaps):
        raise _refuse(file, place, "there are comments between its braces")
    new, indent = _line_end(text), " " * (key.start_mark.column + 2)
    lines = (
        f"{new}{indent}{_slice(text, each)}: {' '.join(_slice(text, value).split())}"
        for each, value in node.value
    )
    rest = _rest_of_line(text, end)
    return text[:start].rstrip(" ") + rest + "".join(lines) + text[end + len(rest) :]


def _edit(text: str, place: Place, change: OptionChange) -> str:
    """Change an option where it stands, or write it behind the last one."""
    section = _find(text, place)
    key, node = section or _demand(text, place[:-1])
    new, under = _line_end(text), node.value if isinstance(node.value, list) else []
    indent = " " * (under[0][0] if under else key).start_mark.column + ("" if under else "  ")
    for each, value in under if section else ():
        if each.value == change.key:
            return _replace(text, each, value, change, indent)
    begun = "" if section else f"{new}{indent}{place[-1]}:"
    indent += "" if section else "  "
    remark = f"{new}{indent}{MARK}{escape_controls(change.remark)}" if change.remark else ""
    if change.items:
        lines = _write_items(change.items, new + indent + "  ")
        written = f"{new}{indent}{change.key}:{lines}"
    else:
        written = f"{new}{indent}{change.key}: {write_flow(change.value)}"
    end = _end(text, node)
    end += len(_rest_of_line(text, end))
    return text[:end] + begun + remark + written + text[end:]


def _replace(text: str, key: Node, value: Node, change: OptionChange, indent: str) -> str:
    colon = text.index(":", key.end_mark.index) + 1
    end = _end(text, value)
    rest = _rest_of_line(text, end)
    new = _line_end(text)
    if not change.items:
        written = f" {write_flow(change.value)}"
    elif _is_flow(value) or not value.value:
        start = new + indent + "  "
        kept = "".join(f"{start}- {_slice(text, each)}" for each in value.value)
        written = rest + kept + _write_items(change.items, start)
        end += len(rest)
    else:
        start = new + " " * value.start_mark.column
        written = text[colon:end] + rest + _write_items(change.items, start)
        end += len(rest)
    made = text[:colon] + written + text[end:]
    return _remark(made, key.start_mark.index, change.remark, indent)


def _remark(text: str, at: int, remark: str, indent: str) -> str:
    """Put a remark on the line above a key; one that was written there before goes."""
    line = text.rfind("\n", 0, at) + 1
    before = text.rfind("\n", 0, max(line - 1, 0)) + 1
    start = before if text[before:line].strip().startswith(MARK.strip()) else line
    written = f"{indent}{MARK}{escape_controls(remark)}{_line_end(text)}" if remark else ""
    return text[:start] + written + text[line:]


def _write_items(items: Sequence[AddedItem], start: str) -> str:
    return "".join(
        f"{start}- {write_flow(item.value)}"
        + (f"  # {escape_controls(item.remark)}" if item.remark else "")
        for item in items
    )


def _end(text: str, node: Node) -> int:
    """Return where a value ends: that of a mapping or list over lines is where its last one does.

    PyYAML puts it where the next thing begins, behind comments that belong to that.
    """
    if isinstance(node.value, str) or _is_flow(node) or not node.value:
        end = node.end_mark.index
        return len(text[:end].rstrip()) if getattr(node, "style", None) in {"|", ">"} else end
    last = node.value[-1]
    return _end(text, last[1] if isinstance(last, tuple) else last)


def _is_flow(node: Node) -> bool:
    return bool(getattr(node, "flow_style", False))


def _slice(text: str, node: Node) -> str:
    return text[node.start_mark.index : node.end_mark.index]


def _rest_of_line(text: str, at: int) -> str:
    found = re.match("[^\r\n]*", text[at:])
    return "" if found is None else found[0]


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def write_flow(value: Any) -> str:
    """Write plain data as YAML on one line, text in quotes only where it would mean another thing.

    A dictionary is written with spaces as people do: `{kind: mse, steps: 24}`.
    """
    if isinstance(value, dict):
        inner = ", ".join(f"{write_flow(key)}: {write_flow(each)}" for key, each in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(write_flow, value))}]"
    if isinstance(value, str) and _reads_as_itself(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _reads_as_itself(text: str) -> bool:
    try:
        return bool(_PLAIN.fullmatch(text)) and resolve_scalar(text) == text
    except UnclearScalar:
        return False
