"""How what is built compares with the reference: figures, how sure they are, and gates."""

from __future__ import annotations

from trtbuild.core import words
from trtbuild.core.comparison import CONFIDENCE, Comparison, GateVerdict, Measure
from trtbuild.core.records import Record
from trtbuild.report.blocks import (
    NOTHING,
    Block,
    Code,
    InlineText,
    Paragraph,
    Section,
    State,
    TableBlock,
    drop_empty_columns,
    parse_prose,
)

__all__ = ["format_value", "make_comparison_section"]


def make_comparison_section(record: Record) -> Section | None:
    """Say how the candidate compares with the reference, and which gates that passes."""
    blocks: list[Block] = []
    if record.comparison is not None:
        blocks += _compared_model(record.comparison, plainly=not record.engine_comparisons)
    for engine in record.engine_comparisons:
        blocks += _compared_engine(engine)
    kinds = dict.fromkeys(each.reference_type for each in record.list_comparisons())
    return Section(f"Comparison with {', '.join(kinds)}", tuple(blocks)) if blocks else None


def _compared_model(found: Comparison, *, plainly: bool) -> list[Block]:
    told = (
        f"Both models ran on the same {found.samples} samples in {found.runner}: these numbers "
        "are the models', not an engine's."
    )
    return _figures(found, told, "" if plainly else f"; measured by {found.runner}")


def _compared_engine(found: Comparison) -> list[Block]:
    whose = "engine" if found.candidate.startswith("engine ") else "model"
    told = (
        f"The {found.candidate} ran on the same {found.samples} samples in {found.runner}: these "
        f"numbers are the {whose}'s. They are held against the {found.reference}."
    )
    return _figures(found, told, f"; measured by {found.runner}")


def _figures(found: Comparison, told: str, runner: str) -> list[Block]:
    about = f"{found.candidate} against {found.reference}, {found.samples} samples{runner}"
    blocks: list[Block] = [Paragraph(parse_prose(told)), _measures(found, about)]
    if found.verdicts:
        blocks.append(_verdicts(found, about))
    return blocks


def _measures(found: Comparison, about: str) -> TableBlock:
    rows = tuple(_measure_row(measure) for measure in found.measures)
    head = (
        "Output",
        "Metric",
        "Value",
        "95 % interval",
        found.reference_type,
        "Worst sample",
        "Remark",
    )
    return drop_empty_columns(TableBlock(about, head, rows, numbers=(2, 3, 4, 5)))


def _measure_row(measure: Measure) -> tuple[InlineText, ...]:
    reference, worst, sure = NOTHING, NOTHING, NOTHING
    interval = measure.find_interval(CONFIDENCE)
    if interval is not None:
        sure = (words.format_interval(interval.value, measure.unit),)
    if measure.reference is not None:
        told = words.format_figure(measure.reference, measure.unit)
        if interval is not None and interval.reference is not None:
            told += f" ({words.format_interval(interval.reference, measure.unit)})"
        reference = (told,)
    if measure.worst is not None and measure.worst_sample is not None:
        worst = (
            f"{words.format_figure(measure.worst, measure.unit)} (sample {measure.worst_sample})",
        )
    remarks = [measure.doubt] if measure.identical else [measure.doubt, measure.remark]
    if measure.drop is not None:
        told = words.format_drop(measure.drop, measure.unit)
        if interval is not None and interval.drop is not None:
            told += f" ({words.format_interval(interval.drop, measure.unit, drop=True)})"
        remarks.insert(0, told)
    return (
        (Code(measure.output),) if measure.output else ("whole model",),
        (Code(measure.metric),),
        (format_value(measure),),
        sure,
        reference,
        worst,
        parse_prose("; ".join(remark for remark in remarks if remark)),
    )


def format_value(measure: Measure) -> str:
    """Return a measure's value in words; a dash where there is none."""
    if measure.value is not None:
        return words.format_figure(measure.value, measure.unit)
    return "identical" if measure.identical else "–"


def _verdicts(found: Comparison, about: str) -> TableBlock:
    rows = tuple(_verdict_row(verdict) for verdict in found.verdicts)
    head = ("Gate", "Output", "Found", "Interval", "Verdict", "Missed by", "Remark")
    return drop_empty_columns(TableBlock(f"Gates, {about}", head, rows))


def _verdict_row(verdict: GateVerdict) -> tuple[InlineText, ...]:
    return (
        (verdict.gate,),
        (Code(verdict.output),) if verdict.output else NOTHING,
        (verdict.found,) if verdict.found else NOTHING,
        (verdict.interval,) if verdict.interval else NOTHING,
        (_describe_verdict(verdict),),
        (verdict.missed_by,) if verdict.missed_by else NOTHING,
        parse_prose("; ".join(filter(None, (verdict.remark, verdict.doubt)))),
    )


def _describe_verdict(verdict: GateVerdict) -> State:
    if not verdict.judged:
        return State("not judged", "warn" if verdict.passed else "bad")
    return State("passed", "good") if verdict.passed else State("failed", "bad")
