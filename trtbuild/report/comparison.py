"""How what is built compares with the reference: figures, how sure they are, and gates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trtbuild.core import words
from trtbuild.core.comparison import (
    CONFIDENCE,
    Comparison,
    GateVerdict,
    Measure,
    UnrunEngine,
)
from trtbuild.core.records import Record
from trtbuild.measure.metrics import find_row
from trtbuild.report.blocks import (
    NOTHING,
    Aside,
    Bar,
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

__all__ = ["describe_unrun", "find_merit", "format_value", "make_comparison_section"]


def make_comparison_section(record: Record) -> Section | None:
    """Say how the candidate compares with the reference, and which gates that passes."""
    blocks: list[Block] = []
    if record.comparison is not None:
        blocks += _compared_model(record.comparison, plainly=not record.engine_comparisons)
    for engine in record.engine_comparisons:
        blocks += _compared_engine(engine)
    for unrun in record.unrun_engines:
        blocks += _unrun_engine(unrun)
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


def _unrun_engine(found: UnrunEngine) -> list[Block]:
    blocks: list[Block] = [Paragraph(describe_unrun(found))]
    if found.verdicts:
        blocks.append(_verdicts(found, f"{found.candidate}, which was not run"))
    return blocks


def describe_unrun(found: UnrunEngine) -> InlineText:
    """Say that an engine has no figures, and why."""
    told = f": the {found.candidate}, so that it has no figures. {found.not_run}"
    return (State("not run", "bad"), *parse_prose(told))


def _figures(found: Comparison, told: str, runner: str) -> list[Block]:
    about = f"{found.candidate} against {found.reference}, {found.samples} samples{runner}"
    blocks: list[Block] = [Paragraph(parse_prose(told))]
    if found.verdicts:
        blocks.append(_verdicts(found, about))
    whole = sorted((each for each in found.measures if not each.part_of), key=_urgency)
    blocks.append(_measures(found, whole, about))
    for output in dict.fromkeys(each.part_of for each in found.measures if each.part_of):
        parts = [each for each in found.measures if each.part_of == output]
        blocks += _parts(found, output, parts)
    return blocks


def _urgency(measure: Measure) -> tuple[bool, bool]:
    """Put first what failed, then what the model is for: numbers that are close say less."""
    return not measure.broken, find_row(measure.metric) is not None and not measure.own


def _parts(found: Comparison, output: str, parts: list[Measure]) -> list[Block]:
    """Show the parts of an output of which one decides its figures, the worst first."""
    told = f"Parts of `{output}` differ so much in scale that one alone decides its figures:"
    ranked = sorted(parts, key=lambda each: (each.metric, find_merit(each)))
    return [
        Paragraph(parse_prose(told)),
        _measures(found, ranked, f"{output} by part, {found.candidate}, the worst first"),
    ]


def find_merit(measure: Measure) -> float:
    """Return what sorts measures of a metric, the worst first: one without a value before all."""
    if measure.identical:
        return math.inf
    if measure.value is None:
        return -math.inf
    return measure.value if measure.better == "high" else -measure.value


def _measures(found: Comparison, measures: Sequence[Measure], about: str) -> TableBlock:
    rows = tuple(_measure_row(measure) for measure in measures)
    sure = any(measure.find_interval(CONFIDENCE) for measure in measures)
    caption = about + ("; with each figure its 95 % interval" if sure else "")
    compared = found.reference_type
    head = ("Output", "Metric", "Value", compared, "Drop", "Worst sample", "Remark")
    return drop_empty_columns(TableBlock(caption, head, rows, numbers=(2, 3, 4, 5)))


def _measure_row(measure: Measure) -> tuple[InlineText, ...]:
    interval = measure.find_interval(CONFIDENCE)
    value, reference, drop, worst = _value(measure), NOTHING, NOTHING, NOTHING
    if interval is not None:
        value += (Aside(words.format_interval(interval.value, measure.unit)),)
    if measure.reference is not None:
        reference = (words.format_figure(measure.reference, measure.unit),)
        if interval is not None and interval.reference is not None:
            reference += (Aside(words.format_interval(interval.reference, measure.unit)),)
    if measure.drop is not None:
        told = words.format_drop(measure.drop, measure.unit).removeprefix("drop ")
        drop = (told.replace("no drop", "none"),)
        if interval is not None and interval.drop is not None:
            drop += (Aside(words.format_interval(interval.drop, measure.unit, drop=True)),)
    if measure.worst is not None and measure.worst_sample is not None:
        found = words.format_figure(measure.worst, measure.unit)
        worst = (found, Aside(f"sample {measure.worst_sample}"))
    remarks = [measure.doubt] if measure.identical else [measure.doubt, measure.remark]
    return (
        (Code(measure.output),) if measure.output else ("whole model",),
        (Code(measure.metric),),
        value,
        reference,
        drop,
        worst,
        parse_prose("; ".join(remark for remark in remarks if remark)),
    )


def _value(measure: Measure) -> InlineText:
    """Write a value; signal over noise of a part with its noise, in shares of its signal."""
    if measure.broken:
        return (State("broken", "bad"),)
    told = format_value(measure)
    if not measure.part_of or measure.unit != "dB" or measure.value is None:
        return (told,)
    return (Bar(10 ** (-measure.value / 20), told),)


def format_value(measure: Measure) -> str:
    """Return a measure's value in words; a dash where there is none."""
    if measure.value is not None:
        return words.format_figure(measure.value, measure.unit)
    return "identical" if measure.identical else "–"


def _verdicts(found: Comparison, about: str) -> TableBlock:
    ranked = sorted(found.verdicts, key=lambda each: each.passed)
    rows = tuple(_verdict_row(verdict) for verdict in ranked)
    head = ("Gate", "Verdict", "Found", "Missed by", "Interval", "Output", "Remark")
    return drop_empty_columns(TableBlock(f"Gates, {about}", head, rows))


def _verdict_row(verdict: GateVerdict) -> tuple[InlineText, ...]:
    return (
        (verdict.gate,),
        (_describe_verdict(verdict),),
        (verdict.found,) if verdict.found else NOTHING,
        (verdict.missed_by,) if verdict.missed_by else NOTHING,
        (verdict.interval,) if verdict.interval else NOTHING,
        (Code(verdict.output),) if verdict.output else NOTHING,
        parse_prose("; ".join(filter(None, (verdict.remark, verdict.doubt)))),
    )


def _describe_verdict(verdict: GateVerdict) -> State:
    if not verdict.judged:
        return State("not judged", "warn" if verdict.passed else "bad")
    return State("passed", "good") if verdict.passed else State("failed", "bad")
