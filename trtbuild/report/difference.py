"""A difference as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trtbuild.core.escape import escape_controls
from trtbuild.core.words import abbreviate, format_size
from trtbuild.plan.difference import Change, Diff, GateChange, ListChange
from trtbuild.plan.range_diff import RangeDiff
from trtbuild.report.verdicts import (
    describe_bits,
    describe_figure,
    describe_growth,
    describe_verdict,
    has_news,
)

__all__ = [
    "render_difference",
    "render_differences",
]

MOST_RANGES = 20


def render_differences(found: Sequence[Diff]) -> str:
    """Write several differences, and count the sides that are the same."""
    told = [each for each in found if has_news(each)]
    lines = [render_difference(each, sides=_sides(each)) for each in told]
    return "\n".join([*lines, *_same(found, len(told))])


def _same(found: Sequence[Diff], told: int) -> Iterator[str]:
    count = len(found) - told
    if not found:
        yield "no recipe is in either revision"
    elif len(found) == count == 1:
        yield escape_controls(f"{_sides(found[0])}: the same")
    elif count:
        yield f"{count} {'recipe means' if count == 1 else 'recipes mean'} the same as before"


def _sides(found: Diff) -> str:
    return found.before if found.before == found.after else f"{found.before} → {found.after}"


def render_difference(found: Diff, *, sides: str) -> str:
    """Write a difference: the verdict, then worst first, a line a fact."""
    lines = [f"{sides}: {describe_verdict(found)}"]
    for title, facts in _sections(found):
        lines += [f"  {title}:", *(f"    {fact}" for fact in facts)]
    return "\n".join(map(escape_controls, lines))


def _sections(found: Diff) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what differs by title; parts in which nothing does are left out."""
    parts: tuple[tuple[str, Sequence[str]], ...] = (
        ("Gates", [_describe_gate(each) for each in found.gates]),
        ("Demanded less", [f"{each.what}: {each.told}" for each in found.loosened]),
        ("Wrong as a recipe", found.wrong),
        ("In short", found.summary),
        ("Accuracy", list(_describe_accuracy(found))),
        ("Engines", [_describe_change(each) for each in found.targets]),
        ("Recipe", _describe_recipe(found)),
        ("Sources", [_describe_change(each) for each in found.sources]),
        ("Tools", [_describe_change(each) for each in found.tools]),
        ("Calibrated ranges", list(_describe_moved(found.ranges)) if found.ranges else ()),
        ("Steps that rerun", found.reruns or ()),
        ("Time", [f"{x.what}: {x.before:.1f} s → {x.after:.1f} s" for x in found.seconds]),
        ("Notes", found.notes),
    )
    yield from (part for part in parts if part[1])


def _describe_accuracy(found: Diff) -> Iterator[str]:
    """Yield what moved, worst first; where both sides measured it, with what that says."""
    judged = {f"{each.output}.{each.metric}".lstrip("."): each for each in found.figures}
    for change in found.measures:
        if change.what in judged:
            name, before, after, remark = describe_figure(judged[change.what])
            yield f"{name}: {before} → {after}, {remark}"
        else:
            yield _describe_change(change)


def _describe_change(change: Change) -> str:
    what, before, after = change.what, change.before, change.after
    extra = f" ({describe_bits(change.bits)})" if change.bits is not None else ""
    if isinstance(before, int) and isinstance(after, int) and (grown := describe_growth(change)):
        return f"{what}: {format_size(before)} → {format_size(after)} ({grown})"
    return f"{what}: {_value(before)} → {_value(after)}{extra}"


def _describe_recipe(found: Diff) -> list[str]:
    """Write what differs in a recipe; of lists, what came and went."""
    plain = [each for each in found.recipe if not (found.lists and "[" in each.what)]
    return [*map(_describe_change, plain), *map(_describe_list, found.lists)]


def _describe_list(change: ListChange) -> str:
    if len(change.added) == len(change.removed) == 1:
        return f"{change.what}: {change.removed[0]} → {change.added[0]}"
    told = [f"added {each}" for each in change.added]
    told += [f"removed {each}" for each in change.removed]
    return f"{change.what}: {', '.join(told) or 'the same in another order'}"


def _describe_gate(gate: GateChange) -> str:
    words = {True: "passes", False: "failed" if gate.judged else "not judged", None: "not asked"}
    before = "" if gate.before is None else f" (before: {words[gate.before]})"
    return f"{words[gate.after]}: {gate.gate}: {gate.told}{before}"


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.6g}"
    return abbreviate(str(value))


def _describe_moved(ranges: RangeDiff) -> Iterator[str]:
    for each in ranges.moved[:MOST_RANGES]:
        bits = "" if each.bits_lost is None else f" ({describe_bits(each.bits_lost)})"
        yield f"{each.tensor}: limit {_value(each.before)} → {_value(each.after)}{bits}"
    if len(ranges.moved) > MOST_RANGES:
        yield f"and {len(ranges.moved) - MOST_RANGES} more; {ranges.same} the same"
