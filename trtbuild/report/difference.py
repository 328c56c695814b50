"""A difference as text, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trtbuild.core.shown import shown
from trtbuild.core.words import abbreviate, format_size
from trtbuild.plan.difference import Change, Diff
from trtbuild.plan.range_diff import RangeDiff

__all__ = [
    "render_difference",
    "render_difference_markdown",
    "render_differences",
    "render_differences_markdown",
    "safe",
]

MOST_RANGES = 20
ONLY = {"before": "is gone", "after": "is new"}


def render_differences(found: Sequence[Diff]) -> str:
    """Write several differences, and count the sides that are the same."""
    told = [each for each in found if _has_news(each)]
    lines = [render_difference(each, sides=_sides(each)) for each in told]
    return "\n".join([*lines, *_same(found, len(told))])


def render_differences_markdown(found: Sequence[Diff]) -> str:
    """Write several differences for a pull request; what is the same takes one line in all."""
    told = [each for each in found if _has_news(each)]
    texts = [render_difference_markdown(each, sides=_sides(each)) for each in told]
    return "\n".join([*texts, *_same(found, len(told))])


def _has_news(found: Diff) -> bool:
    return bool(found.differ or found.notes or found.before != found.after)


def _same(found: Sequence[Diff], told: int) -> Iterator[str]:
    count = len(found) - told
    if not found:
        yield "no recipe is in either revision"
    elif len(found) == count == 1:
        yield shown(f"{_sides(found[0])}: the same")
    elif count:
        yield f"{count} {'recipe means' if count == 1 else 'recipes mean'} the same as before"


def _sides(found: Diff) -> str:
    return found.before if found.before == found.after else f"{found.before} → {found.after}"


def render_difference(found: Diff, *, sides: str) -> str:
    """Write a difference: worst first, a line a fact."""
    if found.only:
        return shown(f"{sides}: {ONLY[found.only]}")
    lines = [sides if found.differ else f"{sides}: the same"]
    for title, facts in _sections(found):
        lines += [f"  {title}:", *(f"    {fact}" for fact in facts)]
    return "\n".join(map(shown, lines))


def render_difference_markdown(found: Diff, *, sides: str) -> str:
    """Write a difference for a pull request: a line where nothing matters, else folded sections."""
    if found.only:
        return f"**{safe(sides)}** {ONLY[found.only]}\n"
    sections = list(_sections(found))
    counts = ", ".join(f"{title.lower()} ({len(facts)})" for title, facts in sections)
    text = f"**{safe(sides)}**: {counts if found.differ else 'the same'}\n"
    for index, (title, facts) in enumerate(sections):
        opened = " open" if index == 0 and found.differ else ""
        rows = "\n".join(f"- {safe(fact)}" for fact in facts)
        text += f"\n<details{opened}><summary>{title}</summary>\n\n{rows}\n\n</details>\n"
    return text


def _sections(found: Diff) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what differs by title; parts in which nothing does are left out."""
    parts: tuple[tuple[str, Sequence[str]], ...] = (
        ("Wrong as a recipe", found.wrong),
        ("Accuracy", [_describe_change(each) for each in found.measures]),
        ("Engines", [_describe_change(each) for each in found.targets]),
        ("Recipe", [_describe_change(each) for each in found.recipe]),
        ("Sources", [_describe_change(each) for each in found.sources]),
        ("Tools", [_describe_change(each) for each in found.tools]),
        ("Calibrated ranges", list(_describe_moved(found.ranges)) if found.ranges else ()),
        ("Steps that rerun", found.reruns or ()),
        ("Time", [f"{x.what}: {x.before:.1f} s → {x.after:.1f} s" for x in found.seconds]),
        ("Notes", found.notes),
    )
    yield from (part for part in parts if part[1])


def _describe_change(change: Change) -> str:
    what, before, after = change.what, change.before, change.after
    extra = f" ({_bits(change.bits)})" if change.bits is not None else ""
    if (
        what.endswith("size_bytes")
        and before
        and isinstance(before, int)
        and isinstance(after, int)
    ):
        grown = f"{after / before - 1:+.1%}".replace("%", " %")
        return f"{what}: {format_size(before)} → {format_size(after)} ({grown})"
    return f"{what}: {_value(before)} → {_value(after)}{extra}"


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.6g}"
    return abbreviate(str(value))


def _describe_moved(ranges: RangeDiff) -> Iterator[str]:
    for each in ranges.moved[:MOST_RANGES]:
        bits = "" if each.bits_lost is None else f" ({_bits(each.bits_lost)})"
        yield f"{each.tensor}: limit {_value(each.before)} → {_value(each.after)}{bits}"
    if len(ranges.moved) > MOST_RANGES:
        yield f"and {len(ranges.moved) - MOST_RANGES} more; {ranges.same} the same"


def _bits(lost: float) -> str:
    return f"{abs(lost):.2f} bits {'lost' if lost > 0 else 'gained'}"


def safe(text: str) -> str:
    """Keep names of tensors and files from being taken for Markdown or HTML."""
    text = shown(text)
    for letter in "\\`*_[]<>|":
        text = text.replace(letter, f"\\{letter}" if letter not in "<>" else f"&#{ord(letter)};")
    return text
