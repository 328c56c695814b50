"""A difference as text, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trtbuild.core.range_diff import RangeDiff
from trtbuild.core.words import brief, size

__all__ = ["difference_markdown", "difference_text", "differences_markdown", "differences_text"]

MOST_RANGES = 20
SECTIONS = ("measures", "targets", "recipe", "sources", "tools")
TITLES = {"measures": "Accuracy", "targets": "Engines", "recipe": "Recipe"}


ONLY = {"before": "is gone", "after": "is new"}


def differences_text(found: Sequence[object]) -> str:
    """Write several differences, and count the sides that are the same."""
    told = [each for each in found if _tells(each)]
    lines = [difference_text(each, sides=_sides(each)) for each in told]
    return "\n".join([*lines, *_same(found, len(told))])


def differences_markdown(found: Sequence[object]) -> str:
    """Write several differences for a pull request; what is the same takes one line in all."""
    told = [each for each in found if _tells(each)]
    texts = [difference_markdown(each, sides=_sides(each)) for each in told]
    return "\n".join([*texts, *_same(found, len(told))])


def _tells(found: object) -> bool:
    return bool(getattr(found, "differ", True) or getattr(found, "notes", ()))


def _same(found: Sequence[object], told: int) -> Iterator[str]:
    count = len(found) - told
    if not found:
        yield "no recipe is in either revision"
    elif len(found) == count == 1:
        yield f"{_sides(found[0])}: the same"
    elif count:
        yield f"{count} {'recipe means' if count == 1 else 'recipes mean'} the same as before"


def _sides(found: object) -> str:
    before, after = str(getattr(found, "before", "")), str(getattr(found, "after", ""))
    return before if before == after else f"{before} → {after}"


def difference_text(found: object, *, sides: str) -> str:
    """Write a difference: worst first, a line a fact."""
    only = getattr(found, "only", "")
    if only:
        return f"{sides}: {ONLY[only]}"
    lines = [sides if getattr(found, "differ", True) else f"{sides}: the same"]
    for title, facts in _sections(found):
        lines += [f"  {title}:", *(f"    {fact}" for fact in facts)]
    return "\n".join(lines)


def difference_markdown(found: object, *, sides: str) -> str:
    """Write a difference for a pull request: a line where nothing matters, else folded sections."""
    only = getattr(found, "only", "")
    if only:
        return f"**{_safe(sides)}** {ONLY[only]}\n"
    sections = list(_sections(found))
    differ = getattr(found, "differ", True)
    counts = ", ".join(f"{title.lower()} ({len(facts)})" for title, facts in sections)
    text = f"**{_safe(sides)}**: {counts if differ else 'the same'}\n"
    for index, (title, facts) in enumerate(sections):
        opened = " open" if index == 0 and differ else ""
        rows = "\n".join(f"- {_safe(fact)}" for fact in facts)
        text += f"\n<details{opened}><summary>{title}</summary>\n\n{rows}\n\n</details>\n"
    return text


def _sections(found: object) -> Iterator[tuple[str, Sequence[str]]]:
    for name in SECTIONS:
        changes = getattr(found, name)
        if changes:
            yield TITLES.get(name, name.capitalize()), [_told(change) for change in changes]
    ranges = getattr(found, "ranges", None)
    if ranges is not None and ranges.moved:
        yield "Calibrated ranges", list(_moved(ranges))
    reruns = getattr(found, "reruns", None)
    if reruns:
        yield "Steps that rerun", list(reruns)
    seconds = getattr(found, "seconds", ())
    if seconds:
        yield "Time", [f"{x.what}: {x.before:.1f} s → {x.after:.1f} s" for x in seconds]
    notes = getattr(found, "notes", ())
    if notes:
        yield "Notes", list(notes)


def _told(change: object) -> str:
    what, before, after = (getattr(change, name) for name in ("what", "before", "after"))
    bits = getattr(change, "bits", None)
    extra = f" ({_bits(bits)})" if bits is not None else ""
    if what.endswith("size_bytes") and before and after:
        grown = f"{after / before - 1:+.1%}".replace("%", " %")
        return f"{what}: {size(before)} → {size(after)} ({grown})"
    return f"{what}: {_value(before)} → {_value(after)}{extra}"


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.6g}"
    return brief(str(value))


def _moved(ranges: RangeDiff) -> Iterator[str]:
    for each in ranges.moved[:MOST_RANGES]:
        bits = "" if each.bits_lost is None else f" ({_bits(each.bits_lost)})"
        yield f"{each.tensor}: limit {_value(each.before)} → {_value(each.after)}{bits}"
    if len(ranges.moved) > MOST_RANGES:
        yield f"and {len(ranges.moved) - MOST_RANGES} more; {ranges.same} the same"


def _bits(lost: float) -> str:
    return f"{abs(lost):.2f} bits {'lost' if lost > 0 else 'gained'}"


def _safe(text: str) -> str:
    """Keep names of tensors and files from being taken for Markdown or HTML."""
    for letter in "\\`*_[]<>|":
        text = text.replace(letter, f"\\{letter}" if letter not in "<>" else f"&#{ord(letter)};")
    return text.replace("\n", " ")
