"""Lists of a recipe, compared as sets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trtbuild.core.words import format_bound
from trtbuild.measure.metrics import METRIC_ROWS, find_unit
from trtbuild.plan.difference import ListChange

__all__ = ["compare_lists", "gather_list"]

_STEP = re.compile(r"\[(\d+)\]|([^.\[]+)")
_NAMES = ("kind", "metric", "name")
"""What an item of a list goes by, if it has one."""
_BOUNDS = ("at_least", "at_most", "drop_at_most", "drop_from_lock_at_most")
Value = str | int | float | bool


def compare_lists(
    before: Mapping[str, Value], after: Mapping[str, Value]
) -> tuple[ListChange, ...]:
    """Compare the lists of two recipes whose facts are flat (`skip[0]`, `gates[1].metric`).

    Lists of numbers are places (shapes, means): they are compared as a whole. Of items that both
    sides have by the same name, what differs within is told.
    """
    places = {key.partition("[")[0] for key in (*before, *after) if "[" in key}
    return tuple(
        change
        for place in sorted(places)
        for change in _compare(place, gather_list(place, before), gather_list(place, after))
    )


def gather_list(place: str, facts: Mapping[str, Value]) -> Any:
    """Return a list of a recipe, as it was before the recipe's facts were made flat."""
    found: list[Any] = []
    for key, value in facts.items():
        if key.startswith(f"{place}["):
            steps = [
                int(index) if index else name for index, name in _STEP.findall(key[len(place) :])
            ]
            _put(found, steps, value)
    return found


def _put(tree: Any, steps: Sequence[int | str], value: Value) -> None:
    first, *rest = steps
    if isinstance(tree, list) and isinstance(first, int):
        while len(tree) <= first:
            tree.append(None)
        if rest:
            tree[first] = tree[first] or ([] if isinstance(rest[0], int) else {})
            _put(tree[first], rest, value)
        else:
            tree[first] = value
    elif isinstance(tree, dict):
        if rest:
            _put(tree.setdefault(first, [] if isinstance(rest[0], int) else {}), rest, value)
        else:
            tree[first] = value


def _compare(what: str, old: Any, new: Any) -> Iterator[ListChange]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _compare(f"{what}.{key}", old.get(key), new.get(key))
    elif not isinstance(old, list) or not isinstance(new, list) or _is_place([*old, *new]):
        metric, _, bound = what.rpartition(": ")[2].rpartition(".")
        added, removed = (_one(_bound(metric, bound, each)) for each in (new, old))
        yield ListChange(what=what, added=added, removed=removed)
    else:
        yield from _compare_sets(what, old, new)


def _compare_sets(what: str, old: list[Any], new: list[Any]) -> Iterator[ListChange]:
    ours, theirs = _by_name(old), _by_name(new)
    common = [name for name in ours if name in theirs and name]
    for name in common:
        yield from _compare(f"{what}: {name}", ours[name], theirs[name])
    left = [
        [_write(item) for item in side if _name(item, side) not in common] for side in (old, new)
    ]
    removed, added = Counter(left[0]) - Counter(left[1]), Counter(left[1]) - Counter(left[0])
    moved = [_name(item, old) or _write(item) for item in old] != [
        _name(item, new) or _write(item) for item in new
    ]
    if removed or added or moved:
        yield ListChange(
            what=what,
            added=tuple(added.elements()),
            removed=tuple(removed.elements()),
            reordered=not added and not removed,
        )


def _by_name(items: Sequence[Any]) -> dict[str, Any]:
    return {_name(item, items): item for item in items}


def _name(item: Any, items: Sequence[Any]) -> str:
    """Return what an item goes by; nothing where it has no name, or one that is not its own.

    The only object of a list needs none.
    """
    if not isinstance(item, dict):
        return ""
    if len(items) == 1 and not any(key in item for key in _NAMES):
        return "1"
    name = next((str(item[key]) for key in _NAMES if key in item), "")
    others = sum(
        next((str(each[key]) for key in _NAMES if key in each), "") == name
        for each in items
        if isinstance(each, dict)
    )
    return name if others == 1 else ""


def _bound(metric: str, name: str, value: Any) -> Any:
    """Write a gate's bound as a recipe does: `0.5 %`; anything else is left alone."""
    if name in _BOUNDS and isinstance(value, int | float) and metric in METRIC_ROWS:
        return format_bound(value, find_unit(metric))
    return value


def _is_place(items: Sequence[Any]) -> bool:
    return all(isinstance(item, int | float) for item in items)


def _one(value: Any) -> tuple[str, ...]:
    return () if value in (None, [], {}) else (_write(value),)


def _write(value: Any) -> str:
    """Write a value as a person would: an object by its name, with the rest in brackets."""
    if isinstance(value, list):
        return f"[{', '.join(map(_write, value))}]"
    if isinstance(value, dict):
        key = next((key for key in _NAMES if key in value), "")
        rest = ", ".join(
            f"{name} {_write(_bound(value.get('metric', ''), name, each))}"
            for name, each in sorted(value.items())
            if name != key and each not in ("", None)
        )
        return f"{value[key]} ({rest})" if key and rest else str(value[key]) if key else rest
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
