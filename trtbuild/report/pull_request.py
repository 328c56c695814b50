"""Differences as Markdown for a pull request: the verdict first, the rest folded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from trtbuild.core.escape import escape_controls
from trtbuild.core.words import format_size
from trtbuild.plan.difference import Change, Diff, FigureChange, GateChange, ListChange
from trtbuild.plan.explain import Reason
from trtbuild.report.escape import escape_markup
from trtbuild.report.verdicts import (
    describe_bits,
    describe_figure,
    describe_growth,
    describe_verdict,
    has_news,
    list_samples,
)

__all__ = ["render_differences_markdown", "render_reasons_markdown"]

MOST_CHARACTERS = 60_000
"""GitHub refuses a comment of more than 65 536."""
MOST_FACTS = (200, 60, 20, 8, 3)
"""How many facts of a sort are told: the first of these with which all of it fits."""
MOST_LETTERS = 160
_Folded = tuple[str, list[str], int]
"""A title, facts to be told below it, and how many there are of them in all."""
T = TypeVar("T")
_SEVERE = ("worse", "mixed", "unknown", "better", "noise", "same")
_DIGEST = re.compile(r"(?:sha256:)?(?<![0-9a-f])[0-9a-f]{32,64}(?![0-9a-f])")
_BYTES = ("size_bytes", "workspace", "_bytes")
_FIGURES = {
    "asked_int8": "layers asked in INT8",
    "delivered_int8": "layers in INT8",
    "engine_size_bytes": "engine",
}


def render_differences_markdown(found: Sequence[Diff]) -> str:
    """Write differences for a pull request, the worst first, in no more than 60 000 characters.

    What is the same takes one line in all; what does not fit is counted.
    """
    told = sorted((each for each in found if has_news(each)), key=_severity)
    same = len(found) - len(told)
    head = f"## {_sum_up(told, same)}" if found else "## No recipe is in either revision"
    folded = [list(_sections(each)) for each in told]
    blocks: list[str] = []
    for most in MOST_FACTS:
        blocks = [_render(each, parts, most) for each, parts in zip(told, folded, strict=True)]
        text = "\n\n".join([head, *blocks]) + "\n"
        if len(text) <= MOST_CHARACTERS:
            return text
    return _cut(head, blocks)


def _cut(head: str, blocks: Sequence[str]) -> str:
    text = head
    for index, block in enumerate(blocks):
        rest = f"\n\nand {len(blocks) - index} more recipes that differ\n"
        if len(text) + len(block) + len(rest) + 2 > MOST_CHARACTERS:
            return text + rest
        text += "\n\n" + block
    return text + "\n"


def _severity(found: Diff) -> tuple[bool, bool, bool, int]:
    severe = _SEVERE.index(found.verdict)
    return not found.failed, not found.wrong, not found.loosened, severe


def _sum_up(told: Sequence[Diff], same: int) -> str:
    """Count what became of all recipes, failed gates first."""
    counts: dict[str, int] = {}
    for each in told:
        counts[describe_verdict(each)] = counts.get(describe_verdict(each), 0) + 1
    if same:
        counts["the same"] = counts.get("the same", 0) + same
    gates = "".join(
        f"{count} gate{'s' if count > 1 else ''} {word}; "
        for judged, word in ((True, "failed"), (False, "not judged"))
        if (count := sum(gate.judged == judged for each in told for gate in each.failed))
    )
    if loosened := sum(bool(each.loosened) for each in told):
        gates += f"less is demanded{f' by {loosened} recipes' if loosened > 1 else ''}; "
    recipes = "recipe" if len(told) + same == 1 else "recipes"
    return f"{gates}{recipes}: " + ", ".join(f"{n} {word}" for word, n in counts.items())


def _render(found: Diff, folded: Sequence[_Folded], most: int) -> str:
    """Write one difference: what came of it in the open, what is behind it folded."""
    sides = found.before if found.before == found.after else f"{found.before} → {found.after}"
    parts = [f"### {_say(sides)}: {describe_verdict(found)}"]
    parts += [_bullets([_describe_gate(gate) for gate in found.gates], most)] if found.gates else []
    loosened = [f"**{_say(each.what)}**: {_say(each.told)}" for each in found.loosened]
    parts += [_bullets(loosened, most)] if loosened else []
    parts += [_bullets([_say(each) for each in found.wrong], most)] if found.wrong else []
    parts += [_bullets([_say(each) for each in found.summary], most)] if found.summary else []
    parts += [_bullets([_say(each) for each in found.notes], most)] if _open_notes(found) else []
    rows = [*map(_figure_row, found.figures), *_engine_rows(found)]
    parts += [_table(rows, most)] if rows else []
    for title, facts, count in folded:
        body = _bullets(facts, most, count)
        parts.append(f"<details><summary>{title} ({count})</summary>\n\n{body}\n\n</details>")
    return "\n\n".join(parts)


def _bullets(facts: Sequence[str], most: int, count: int | None = None) -> str:
    """Write at most so many facts of a `count`, and how many more there are."""
    rows = [f"- {fact}" for fact in facts[:most]]
    more = (len(facts) if count is None else count) - most
    return "\n".join(rows + ([f"- and {more} more"] if more > 0 else []))


def _table(rows: Sequence[Sequence[str]], most: int) -> str:
    lines = ["| | before | after | |", "| --- | ---: | ---: | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in rows[:most]]
    lines += [f"| and {len(rows) - most} more | | | |"] if len(rows) > most else []
    return "\n".join(lines)


def _describe_gate(gate: GateChange) -> str:
    told = f": {_say(gate.told)}" if gate.told else ""
    if gate.after is False:
        word = "Gate failed" if gate.judged else "Gate not judged"
        before = {True: ", and passed before", False: ", as before", None: ""}[gate.before]
        return f"**{word}**: {_say(gate.gate)}{told}{before}"
    now = "passes now" if gate.after else "is not asked for any more; it failed"
    return f"{_say(gate.gate)} {now}{told}"


def _figure_row(each: FigureChange) -> tuple[str, ...]:
    name, before, after, remark = describe_figure(each)
    return _say(name), before, after, _say(remark)


def _engine_rows(found: Diff) -> Iterator[tuple[str, ...]]:
    for each in found.targets:
        target, _, fact = each.what.rpartition(".")
        if fact in _FIGURES:
            before, after = (_value(each.what, side) for side in (each.before, each.after))
            yield f"{_say(target)}: {_FIGURES[fact]}", before, after, describe_growth(each)


def _sections(found: Diff) -> Iterator[_Folded]:
    """Yield what is folded, by title; parts in which nothing differs are left out."""
    figured = {f"{each.output}.{each.metric}".lstrip(".") for each in found.figures}
    others = [each for each in found.measures if each.what not in figured]
    engines = [each for each in found.targets if each.what.rpartition(".")[2] not in _FIGURES]
    plain = [each for each in found.recipe if not (found.lists and "[" in each.what)]
    moved = () if found.ranges is None else found.ranges.moved
    yield from _fold("Samples lost", list(list_samples(found, "lost")), _say)
    yield from _fold("Samples gained", list(list_samples(found, "gained")), _say)
    yield from _fold("Figures of one side", others, _describe)
    options: list[Change | ListChange] = [*plain, *found.lists]
    yield from _fold("Recipe", options, _describe_option)
    yield from _fold(
        "Files", found.sources, lambda each: f"{_say(_name_file(each.what))}: {_happened(each)}"
    )
    yield from _fold("Engines", engines, _describe)
    yield from _fold("Tools", found.tools, _describe)
    yield from _fold(
        "Calibrated ranges",
        moved,
        lambda each: f"{_say(each.tensor)}: {_limits(each.before, each.after, each.bits_lost)}",
    )
    yield from _fold("Steps that rerun", found.reruns or (), _say)
    yield from _fold(
        "Time",
        found.seconds,
        lambda each: f"{_say(each.what)}: {each.before:.1f} s → {each.after:.1f} s",
    )
    yield from _fold("Notes", () if _open_notes(found) else found.notes, _say)


def _open_notes(found: Diff) -> bool:
    """Tell whether notes say why no result is known, which nobody should have to look for."""
    return bool(found.notes) and found.verdict == "unknown"


def _fold(title: str, items: Sequence[T], write: Callable[[T], str]) -> Iterator[_Folded]:
    """Yield a part of as many facts as are ever told, unless there are none."""
    if items:
        yield title, [write(each) for each in items[: MOST_FACTS[0]]], len(items)


def _describe_option(each: Change | ListChange) -> str:
    return _describe_list(each) if isinstance(each, ListChange) else _describe(each)


def _describe(change: Change) -> str:
    """Say what became of a fact, in numbers where it has any that people write."""
    lost = "" if change.bits is None else f" ({describe_bits(change.bits)})"
    if any(isinstance(x, str) and _DIGEST.fullmatch(x) for x in (change.before, change.after)):
        return f"{_say(change.what)}: {_happened(change)}"
    before, after = (_value(change.what, each) for each in (change.before, change.after))
    if _is_words(change):
        old, new = (set(str(each).split()) for each in (change.before, change.after))
        gone, come = sorted(old - new), sorted(new - old)
        return _describe_list(
            ListChange(what=change.what, added=tuple(come), removed=tuple(gone), reordered=True)
        )
    return f"{_say(change.what)}: {before} → {after}{lost}"


def _is_words(change: Change) -> bool:
    """Tell a list that stands there as one text: what an engine is built for."""
    return change.what.endswith(".built_for") and None not in (change.before, change.after)


def _describe_list(change: ListChange) -> str:
    what = _say(change.what)
    if len(change.added) == len(change.removed) == 1:
        return f"{what}: {_say(change.removed[0])} → {_say(change.added[0])}"
    told = [f"added {_say(each)}" for each in change.added]
    told += [f"removed {_say(each)}" for each in change.removed]
    return f"{what}: {', '.join(told) or 'the same in another order'}"


def _happened(change: Change) -> str:
    return "new" if change.before is None else "gone" if change.after is None else "changed"


def _name_file(name: str) -> str:
    return "a file that was fetched" if name.startswith("fetched/") else name


def _limits(before: float | None, after: float | None, lost: float | None) -> str:
    old, new = ("none" if each is None else f"±{each:.4g}" for each in (before, after))
    return f"{old} → {new}" + ("" if lost is None else f" ({describe_bits(lost)})")


def _value(what: str, value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and what.endswith(_BYTES):
        return format_size(value)
    return f"{value:.6g}" if isinstance(value, float) else _say(str(value))


def _say(text: str) -> str:
    """Write foreign text: no markup, no digest, and no longer than anybody reads."""
    plain = _DIGEST.sub("…", text[: 8 * MOST_LETTERS])
    return escape_markup(plain if len(plain) <= MOST_LETTERS else plain[: MOST_LETTERS - 1] + "…")


def render_reasons_markdown(
    recipe: str, total: str, steps: Iterable[tuple[str, str, Sequence[Reason]]]
) -> str:
    """Write a plan for a pull request: what becomes of each step, and why."""
    lines = [f"**{_say(recipe)}**: {_say(total)}", "", "| | step | why |", "| --- | --- | --- |"]
    lines += [
        f"| {verdict} | {_say(step)} | {' · '.join(map(_describe_reason, reasons))} |"
        for verdict, step, reasons in steps
    ]
    return "\n".join(map(escape_controls, lines))


def _describe_reason(reason: Reason) -> str:
    sides = (reason.before, reason.after)
    if any(isinstance(each, str) and _DIGEST.search(each) for each in sides):
        happened = "new" if sides[0] is None else "gone" if sides[1] is None else "changed"
        return f"{_say(reason.path)}: {happened}"
    return _say(reason.text())
