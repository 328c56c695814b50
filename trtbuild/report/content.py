"""Record → Page: what a report says, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trtbuild.core import words
from trtbuild.core.comparison import CONFIDENCE
from trtbuild.core.delivered import DeliveredType, list_deliveries, sum_deliveries
from trtbuild.core.quantized_types import TYPES, join_words
from trtbuild.core.records import Comparison, Measure, Outcome, Record, TargetResult
from trtbuild.measure.metrics import find_row
from trtbuild.report import background, results
from trtbuild.report.blocks import (
    Block,
    InlineText,
    KeyFigure,
    KeyFigures,
    Page,
    Paragraph,
    State,
    Tone,
    parse_prose,
    quote_message,
)
from trtbuild.report.comparison import describe_unrun, find_merit
from trtbuild.report.coverage import make_coverage_section
from trtbuild.report.frontier import make_frontier_section
from trtbuild.report.histograms import make_histograms_section
from trtbuild.report.sensitivity import make_sensitivity_section, show_worst_layer
from trtbuild.report.speed import make_speed_section

__all__ = ["make_page"]

_KEY_METRICS = ("top1", "top1_agreement", "sqnr_db", "cosine")
"""The metrics that the top of a page may show, most telling first."""
_MOST_METRICS = 2
_MOST_KEPT = 8
_MOST_LAYERS = 3


def make_page(record: Record) -> Page:
    """Return what a report says of a record.

    Nothing on it tells whether a step ran or was reused, nor how long this run took: equal
    results give equal pages.
    """
    sections = [section for build in _SECTIONS if (section := build(record)) is not None]
    return Page(
        title=record.recipe, caveats=_caveats(record), lead=_lead(record), sections=tuple(sections)
    )


_SECTIONS = (
    background.make_warnings_section,
    results.make_comparison_section,
    make_sensitivity_section,
    make_histograms_section,
    make_frontier_section,
    make_speed_section,
    results.make_targets_section,
    make_coverage_section,
    results.make_layers_section,
    background.make_notes_section,
    background.make_ranges_section,
    background.make_fixes_section,
    background.make_steps_section,
    background.make_files_section,
    background.make_method_section,
)


def _caveats(record: Record) -> tuple[str, ...]:
    compared = [caveat for each in record.list_comparisons() for caveat in each.caveats]
    built = (caveat for target in record.targets for caveat in target.caveats)
    return tuple(dict.fromkeys([*record.caveats, *compared, *built]))


def _lead(record: Record) -> tuple[Block, ...]:
    blocks: list[Block] = [Paragraph(_verdict(record))]
    if record.refused or record.waived:
        blocks.append(Paragraph(_placement(record)))
    blocks += [
        Paragraph((State(f"{found.word} fell short", "warn"), *_shortfall(each, found)))
        for each in record.targets
        for found in list_deliveries(each)
        if found.delivered < found.asked
    ]
    blocks += [Paragraph(describe_unrun(each)) for each in record.unrun_engines]
    for outcome in record.list_failed_steps():
        blocks += _failure(outcome)
    keys = [key for key in (_gates(record),) if key]
    figures = _accuracy(record.comparison)[:_MOST_METRICS]
    if record.comparison is not None and record.engine_comparisons:
        figures = [_name_runner(key, record.comparison) for key in figures]
    keys += figures
    for engine in record.engine_comparisons:
        keys += [_name_runner(key, engine) for key in _accuracy(engine)[:1]]
    more = (show_worst_layer(record.sensitivity), *_delivered(record), _engines(record))
    keys += [key for key in more if key]
    return (*blocks, KeyFigures(tuple(keys))) if keys else tuple(blocks)


def _verdict(record: Record) -> InlineText:
    failed = [outcome.step for outcome in record.list_failed_steps()]
    if failed:
        steps = ", ".join(f"`{step}`" for step in failed)
        return (State("The run failed", "bad"), *parse_prose(f" at {steps}"), ".")
    verdicts = record.list_verdicts()
    lost = [(engine, verdict) for engine, verdict in verdicts if not verdict.passed]
    if lost:
        engine, first = lost[0]
        places = (engine, f"output `{first.output}`" if first.output else "")
        where = f" ({', '.join(filter(None, places))})" if any(places) else ""
        told = first.found or first.remark
        told += f", missed by {first.missed_by}" if first.missed_by else ""
        more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
        rest: InlineText = parse_prose(f" {first.gate}{where}: {told}{more}.")
        word = "A gate failed:" if first.judged else "A gate was not judged:"
        return (State(word, "bad"), *rest)
    if verdicts:
        return (State("Every gate passed", "good"),)
    if record.comparison is None:
        return parse_prose("Nothing was compared: the recipe has no `compare` section.")
    return ("No gate was asked for: whether these figures are good is the reader's to say.",)


def _placement(record: Record) -> InlineText:
    """Say what became of the files of a build that a gate refused."""
    if record.waived:
        state = State("Placed all the same", "warn")
        return (state, *parse_prose(": `--no-gates` was asked for. A gate did not pass."))
    kept = ", ".join(f"`{path}`" for path in record.kept[:_MOST_KEPT])
    more = len(record.kept) - _MOST_KEPT
    kept += f" and {more} more" if more > 0 else ""
    told = f" What earlier runs placed stays as it was: {kept}." if kept else ""
    tune = f"`trtbuild tune {record.file}` looks for the least float work that passes."
    if record.only_unrun_engines_fail():
        rest = (
            " Next: mend what keeps an engine from running here, or compare the model alone with "
            "`CUDA_VISIBLE_DEVICES=`."
        )
    elif record.sensitivity is not None and record.sensitivity.layers:
        worst = ", ".join(f"`{each.name}`" for each in record.sensitivity.layers[:_MOST_LAYERS])
        rest = f" What costs most: {worst}. Next: {tune}"
    else:
        rest = (
            f" Next: `trtbuild sensitivity {record.file}` says which layers cost most, and {tune}"
        )
    return (State("Not placed", "bad"), *parse_prose(f": no model and no engine.{told}{rest}"))


def _failure(outcome: Outcome) -> list[Block]:
    return [
        quote_message(text)
        for text in (outcome.message, outcome.hint and f"hint: {outcome.hint}")
        if text
    ]


def _gates(record: Record) -> KeyFigure | None:
    verdicts = record.list_verdicts()
    if not verdicts:
        return None
    passed = sum(verdict.passed for _, verdict in verdicts)
    tone: Tone = "good" if passed == len(verdicts) else "bad"
    return KeyFigure("Gates passed", f"{passed} of {len(verdicts)}", tone=tone)


def _engines(record: Record) -> KeyFigure | None:
    total = len(record.targets) + len(record.unbuilt)
    if not total:
        return None
    missing = ", ".join(
        f"`{each.target}` {each.status.replace('_', ' ')}" for each in record.unbuilt
    )
    return KeyFigure(
        "Engines built",
        f"{len(record.targets)} of {total}",
        parse_prose(missing),
        "warn" if record.unbuilt else "good",
    )


def _delivered(record: Record) -> Iterator[KeyFigure]:
    over = f"over {len(record.targets)} engines" if len(record.targets) > 1 else ""
    for each in sum_deliveries(record.targets):
        tone: Tone = "good" if each.delivered == each.asked else "warn"
        value = f"{each.delivered} of {each.asked}"
        yield KeyFigure(f"{each.word} layers delivered", value, parse_prose(over), tone)


def _shortfall(target: TargetResult, found: DeliveredType) -> InlineText:
    """Say how many layers asked for in a quantized type are float, or not known."""
    own = [each for each in target.layers if join_words([each.asked]) == found.word]
    unknown = sum(each.asked in TYPES and each.delivered == "unknown" for each in own)
    missing = found.asked - found.delivered - unknown
    told = [f"{found.delivered} of {found.asked} layers are {found.word}"]
    told += [f"{missing} fell back"] if missing else []
    told += [f"{unknown} cannot be told"] if unknown else []
    return parse_prose(f" in `{target.target}`: {', '.join(told)}.")


def _accuracy(comparison: Comparison | None) -> list[KeyFigure]:
    if comparison is None:
        return []
    keys = []
    tasks = [each.metric for each in comparison.measures if find_row(each.metric) is None]
    for metric in dict.fromkeys((*tasks, *_KEY_METRICS)):  # what the model is for comes first
        found = [
            each
            for each in comparison.measures
            if each.metric == metric and each.applies and not each.part_of
        ]
        if found:
            keys.append(_accuracy_key(metric, found, comparison.reference_type))
    return keys


def _name_runner(key: KeyFigure, compared: Comparison) -> KeyFigure:
    """Say of a figure whose it is, and what measured it: models and engines are side by side."""
    detail = (*key.detail, "; ") if key.detail else ()
    return replace(
        key,
        label=f"{key.label}, {compared.candidate}",
        detail=(*detail, f"measured by {compared.runner}"),
    )


def _accuracy_key(metric: str, found: list[Measure], compared: str) -> KeyFigure:
    """Show the output that fares worst; one without a value is worse than any."""
    worst = min(found, key=find_merit)
    details = [f"output `{worst.output}`"] if len(found) > 1 else []
    interval = worst.find_interval(CONFIDENCE)
    if interval is not None:
        details.append(f"95 %: {words.format_interval(interval.value, worst.unit)}")
    if worst.value is not None and worst.reference is not None:
        details.append(f"{compared} {words.format_figure(worst.reference, worst.unit)}")
        drop = words.format_drop(worst.drop or 0.0, worst.unit)
        if interval is not None and interval.drop is not None:
            drop += f" ({words.format_interval(interval.drop, worst.unit, drop=True)})"
        details.append(drop)
    details += [worst.doubt] if worst.doubt else []
    unknown = worst.value is None and not worst.identical
    return KeyFigure(
        metric,
        results.format_value(worst),
        parse_prose(", ".join(details)),
        "bad" if unknown else "plain",
    )
