"""What a difference comes to, in words that text and Markdown share."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.core.words import format_interval, format_pair
from trtbuild.measure.metrics import find_unit
from trtbuild.plan.difference import Change, Diff, FigureChange

__all__ = [
    "describe_bits",
    "describe_figure",
    "describe_growth",
    "describe_verdict",
    "has_news",
    "list_samples",
]

_WORDS = {
    "worse": "worse",
    "better": "better",
    "mixed": "better and worse",
    "noise": "within noise",
    "same": "results the same",
    "unknown": "results not known",
}


def has_news(found: Diff) -> bool:
    """Tell whether there is anything to say of a recipe."""
    return bool(found.differ or found.notes or found.failed or found.before != found.after)


def describe_bits(lost: float) -> str:
    """Say how many bits of a range's resolution are lost, or below 0, gained."""
    return f"{abs(lost):.2f} bits {'lost' if lost > 0 else 'gained'}"


def describe_verdict(found: Diff) -> str:
    """Say in a word or two what became of a recipe."""
    if found.wrong:
        return "wrong"
    if found.only:
        return "new" if found.only == "after" else "gone"
    return _WORDS[found.verdict] if found.differ else "the same"


def describe_figure(each: FigureChange) -> tuple[str, str, str, str]:
    """Return a figure's name, both values with their intervals, and what they say."""
    unit = find_unit(each.metric) if each.unit is None else each.unit
    told = format_pair(each.before, each.after, unit)
    before, after = (
        value if ends is None else f"{value} ({format_interval(ends, unit)})"
        for value, ends in zip(told, (each.interval_before, each.interval_after), strict=True)
    )
    remarks = [_WORDS[each.verdict] if each.verdict != "same" else "the same"]
    if each.paired and (each.lost or each.gained):
        remarks.append(
            f"{len(each.lost)} lost, {len(each.gained)} gained of {each.samples} samples"
        )
    elif each.samples and unit == "share":
        remarks.append(f"on {each.samples} samples")
    remarks += _describe_reference(each, unit)
    output = f" of {each.output}" if each.output else ""
    return f"{each.metric}{output}", before, after, "; ".join(remarks)


def _describe_reference(each: FigureChange, unit: str) -> Iterator[str]:
    before, after = each.reference_before, each.reference_after
    if after is None:
        return
    if before in (None, after):
        yield f"{each.reference} {format_pair(after, each.after, unit)[0]}"
    else:
        yield f"{each.reference} {' → '.join(format_pair(before or 0.0, after, unit))}"


def describe_growth(change: Change) -> str:
    """Say by how much a size grew; nothing of what is no size, or of no size before."""
    before, after = change.before, change.after
    if not change.what.endswith("size_bytes") or not before:
        return ""
    if not isinstance(before, int) or not isinstance(after, int):
        return ""
    share = f"{after / before - 1:+.1%}".replace("%", " %")
    return f"{after - before:+d} B" if share[1:] == "0.0 %" else share


def list_samples(found: Diff, way: str) -> Iterator[str]:
    """Yield each sample that was `lost` or `gained`, once, with the figures it is in."""
    figures: dict[str, list[str]] = {}
    for each in found.figures:
        for sample in getattr(each, way):
            figures.setdefault(sample, []).append(describe_figure(each)[0])
    yield from (f"{sample} ({', '.join(names)})" for sample, names in figures.items())
