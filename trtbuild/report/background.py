"""The background of a record: ranges, fixes, notes, steps, files, and how the numbers were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trtbuild.core import words
from trtbuild.core.quantized_types import QuantizedType
from trtbuild.core.ranges_used import count_origins
from trtbuild.core.records import Comparison, FixAccount, Outcome, Record
from trtbuild.core.values import Range
from trtbuild.measure.metrics import METRIC_ROWS
from trtbuild.report.blocks import (
    Block,
    Bullets,
    Code,
    Fold,
    InlineText,
    Paragraph,
    Section,
    State,
    TableBlock,
    parse_prose,
)

__all__ = [
    "make_files_section",
    "make_fixes_section",
    "make_method_section",
    "make_notes_section",
    "make_ranges_section",
    "make_steps_section",
    "make_warnings_section",
]

_MANY = 1000
"""Rows of a folded table; more are counted, and stand in ranges.json."""
_FEW = 20
"""Names listed of what one fix changed or left alone."""
_STATES = {
    "ran": State("done", "plain"),
    "reused": State("done", "plain"),
    "failed": State("failed", "bad"),
    "not_reached": State("not reached", "warn"),
    "deferred": State("deferred", "warn"),
}


def make_ranges_section(record: Record) -> Section | None:
    """Say how many ranges there are, and which of them a person chose."""
    if not record.ranges:
        return None
    origins = count_origins(record.ranges.values())
    told = ", ".join(f"{count} {origin}" for origin, count in origins.items())
    manual = {name: each for name, each in record.ranges.items() if each.origin == "manual"}
    symmetric = " ".join(
        f"{each.word} is symmetric: scale = max(|low|, |high|) / {each.largest:g}."
        for each in record.quantized
    )
    blocks: list[Block] = [
        Paragraph((f"{len(record.ranges)} tensors have a range: {told}. {symmetric}",))
    ]
    if manual:
        blocks.append(_range_table("Ranges set by hand", manual, record.quantized[0]))
    table = _range_table("Every range", record.ranges, record.quantized[0])
    blocks.append(Fold(f"all {len(record.ranges)} ranges", (table,)))
    return Section("Ranges", tuple(blocks), background=True)


def _range_table(caption: str, table: Mapping[str, Range], into: QuantizedType) -> TableBlock:
    names = sorted(table)
    rows = tuple(
        (
            (Code(name),),
            (f"{table[name].low:.6g}",),
            (f"{table[name].high:.6g}",),
            (f"{table[name].scale_in(into):.6g}",),
            _origin(table[name]),
        )
        for name in names[:_MANY]
    )
    more = f" (the first {_MANY} of {len(names)})" if len(names) > _MANY else ""
    head = ("Tensor", "Low", "High", "Scale", "Origin")
    return TableBlock(caption + more, head, rows, numbers=(1, 2, 3))


def _origin(found: Range) -> tuple[str | Code, ...]:
    if not found.tied_with:
        return (found.origin,)
    first, *more = found.tied_with
    rest = f" and {len(more)} more" if more else ""
    return (f"{found.origin}, one scale with ", Code(first), rest)


def make_fixes_section(record: Record) -> Section | None:
    """Say what each graph fix changed, and what it left alone."""
    if not record.fixes:
        return None
    rows = tuple(
        ((Code(each.fix),), (str(len(each.changed)),), (str(len(each.left)),))
        for each in record.fixes
    )
    head = ("Fix", "Changed", "Left alone")
    blocks: list[Block] = [TableBlock("Graph fixes, in order", head, rows, numbers=(1, 2))]
    told = tuple(item for each in record.fixes for item in _account(each))
    if told:
        blocks.append(Fold("what each fix did", (Bullets(told),)))
    return Section("Graph fixes", tuple(blocks), background=True)


def _account(account: FixAccount) -> list[InlineText]:
    # A fix says `name: what`; the name alone is code.
    items: list[InlineText] = [
        (Code(account.fix), " changed ", *_render_change(change))
        for change in account.changed[:_FEW]
    ]
    if len(account.changed) > _FEW:
        items.append((Code(account.fix), f" changed {len(account.changed) - _FEW} more"))
    items += [
        (Code(account.fix), " left ", Code(each.name), " alone: ", *parse_prose(each.reason))
        for each in account.left[:_FEW]
    ]
    if len(account.left) > _FEW:
        items.append((Code(account.fix), f" left {len(account.left) - _FEW} more alone"))
    return items


def _render_change(change: str) -> InlineText:
    name, colon, what = change.partition(": ")
    return (Code(name), colon, *parse_prose(what)) if colon else (Code(name),)


def make_warnings_section(record: Record) -> Section | None:
    """Say what a reader must look at, each warning once."""
    items: list[InlineText] = []
    for warning, steps in record.list_warnings().items():
        names: list[str | Code] = []
        for step in steps:
            names += [", ", Code(step)] if names else [Code(step)]
        items.append((*names, ": " if names else "", *parse_prose(warning)))
    return Section("Warnings", (Bullets(tuple(items)),)) if items else None


def make_notes_section(record: Record) -> Section | None:
    """Repeat what the steps had to say."""
    items: list[InlineText] = [parse_prose(note) for note in record.notes]
    for outcome in record.outcomes:
        items += [(Code(outcome.step), ": ", *parse_prose(note)) for note in outcome.notes]
    return Section("Notes", (Bullets(tuple(items)),)) if items else None


def make_steps_section(record: Record) -> Section | None:
    """List the steps, how long each took when it ran, and the digest it is known by."""
    if not record.outcomes:
        return None
    rows = tuple(_step_row(outcome) for outcome in record.outcomes)
    head = ("Step", "State", "Seconds", "Digest")
    caption = "Steps; the seconds are of the run that made the result"
    return Section("Steps", (TableBlock(caption, head, rows, numbers=(2,)),), background=True)


def _step_row(outcome: Outcome) -> tuple[InlineText, ...]:
    ran = outcome.status in ("ran", "reused", "failed")
    return (
        (Code(outcome.step),),
        (_STATES[outcome.status],),
        (f"{outcome.seconds:.1f}" if ran else "–",),
        (Code(words.abbreviate(outcome.digest)),),
    )


def make_files_section(record: Record) -> Section | None:
    """List the files that lie beside the report."""
    if not record.files:
        return None
    rows = tuple(
        ((Code(file.path),), (words.format_size(file.size_bytes),), parse_prose(file.what))
        for file in record.files
    )
    table = TableBlock("Files", ("File", "Size", "What it is"), rows, numbers=(1,))
    return Section("Files", (table,), background=True)


def make_method_section(record: Record) -> Section:
    """Say how the numbers were made, and with which versions."""
    items: list[InlineText] = []
    if record.file:
        items.append(("recipe: ", Code(record.file)))
    if record.model:
        items.append(("model: ", *parse_prose(record.model)))
    if record.calibrator:
        items.append(("calibrator: ", *parse_prose(record.calibrator)))
    for use in record.data:
        labels = ", labelled" if use.labelled else ""
        count = f" ({use.kind}): {use.samples} samples{labels}, for {use.used_for}"
        items.append(("data ", Code(use.name), count))
    blocks: list[Block] = [Bullets(tuple(items))] if items else []
    if record.comparison:
        told = "The metrics; samples are counted from 0, in the order of the data:"
        blocks += [Paragraph((told,)), Bullets(tuple(_meanings(record.comparison)))]
        if any(measure.intervals for measure in record.comparison.measures):
            blocks.append(Paragraph((_INTERVALS,)))
    facts = tuple(((Code(name),), (Code(value),)) for name, value in sorted(record.facts.items()))
    if facts:
        blocks.append(Fold("versions", (TableBlock("Versions", ("What", "Version"), facts),)))
    return Section("How these numbers were made", tuple(blocks), background=True)


_INTERVALS = (
    "Intervals hold 95 % of what other samples of the same sort would give. Of shares of samples "
    "they are score intervals (Wilson; of a drop, Tango's for pairs); else the percentiles of 1000 "
    "resamples of the samples, the same for both sides, drawn from a fixed seed (Efron and "
    "Tibshirani). A largest value has none."
)


def _meanings(found: Comparison) -> Iterator[InlineText]:
    metrics = {measure.metric for measure in found.measures}
    for metric, row in METRIC_ROWS.items():
        if metric in metrics:
            yield (Code(metric), ": ", row.meaning)
    for measure in found.measures:
        if measure.meaning:
            yield (Code(measure.metric), ": ", measure.meaning)
