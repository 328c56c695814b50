"""A difference as text, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trtbuild.core.range_diff import RangeDiff

__all__ = ["difference_markdown", "difference_text"]

MOST_RANGES = 20
SECTIONS = ("measures", "targets", "recipe", "sources", "tools")
TITLES = {"measures": "Accuracy", "targets": "Engines", "recipe": "Recipe"}


def difference_text(found: object, *, sides: str) -> str:
    """Write a difference: worst first, a line a fact."""
    lines = [sides]
    for title, facts in _sections(found):
        lines += [f"  {title}:", *(f"    {fact}" for fact in facts)]
    return "\n".join(lines if len(lines) > 1 else [f"{sides}: the same"])


def difference_markdown(found: object, *, sides: str) -> str:
    """Write a difference for a pull request: a line where nothing matters, else folded sections."""
    sections = list(_sections(found))
    if not sections:
        return f"**{_safe(sides)}**: the same\n"
    counts = ", ".join(f"{title.lower()} ({len(facts)})" for title, facts in sections)
    text = f"**{_safe(sides)}**: {counts}\n"
    for index, (title, facts) in enumerate(sections):
        opened = " open" if index == 0 else ""
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
    notes = getattr(found, "notes", ())
    if notes:
        yield "Notes", list(notes)


def _told(change: object) -> str:
    what, before, after = (getattr(change, name) for name in ("what", "before", "after"))
    bits = getattr(change, "bits", None)
    extra = f" ({_bits(bits)})" if bits is not None else ""
    return f"{what}: {_value(before)} → {_value(after)}{extra}"


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.6g}"
    return (
        str(value).removeprefix("sha256:")[:8] if str(value).startswith("sha256:") else str(value)
    )


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
