"""What a search for less float work has found: accuracy against the share that is quantized."""

from __future__ import annotations

import math

from trtbuild.core.quantized_types import TYPES
from trtbuild.core.records import Record
from trtbuild.core.tuning import Trial, TunedFigure, Tuning
from trtbuild.core.words import format_figure, format_size
from trtbuild.report.blocks import (
    Aside,
    Block,
    Bullets,
    Code,
    Fold,
    InlineText,
    Paragraph,
    PlotBlock,
    PlotRow,
    Section,
    State,
    TableBlock,
    drop_empty_columns,
    parse_prose,
    quote_message,
)
from trtbuild.report.plots import FrontierPlot, FrontierPoint

__all__ = ["make_frontier_section"]

_MANY = 12
"""Rows of a table."""
_LONGEST = 400
"""Characters of what a trial changes: each point of a plot says them."""
_LEGEND = (
    "Each point is a recipe that was built and compared as a whole. Filled: every gate passes; "
    "hollow: one fails. The line joins those than which nothing tried has as much of the work "
    "quantized and comes closer to passing. The ring is the one that was chosen."
)


def make_frontier_section(record: Record) -> Section | None:
    """Show what was tried, the most quantized first, and the change to the recipe that came."""
    found = record.tuning
    if found is None:
        return None
    blocks: list[Block] = [Paragraph(_conclude(found))]
    plot = _plot(found)
    if plot is not None:
        words: InlineText = (
            f"sqnr_db of {len(plot.points)} candidates on ",
            Code(found.searched_on),
        )
        blocks.append(PlotRow("", (PlotBlock(plot, words),), _LEGEND))
    blocks.append(_table(found))
    if found.patch:
        blocks.append(Fold("the change to the recipe", (quote_message(found.patch),)))
    if found.remarks:
        blocks.append(Bullets(tuple(map(parse_prose, found.remarks))))
    return Section(f"Accuracy against {TYPES[found.quantized].word}", tuple(blocks))


def _conclude(found: Tuning) -> InlineText:
    state = State("passes", "good") if found.passed else State("does not pass", "bad")
    sides = [
        "; ".join(f"{each.name} {each.describe()}" for each in figures)
        for figures in (found.before, found.after)
    ]
    told = sides[1] if not found.best else f"{sides[1]} (before: {sides[0]})"
    count = len(found.trials)
    return (
        *parse_prose(f"The last `trtbuild tune` built {count} recipes; the best of them "),
        state,
        *parse_prose(f" on `{found.verified_on}`: {told}."),
    )


def _plot(found: Tuning) -> FrontierPlot | None:
    points = tuple(
        FrontierPoint(
            _name(trial),
            trial.int8_share,
            trial.sqnr_db,
            passed=trial.passed,
            best=trial.frontier,
            chosen=index == found.best,
        )
        for index, trial in enumerate(found.trials)
        if not trial.problem and trial.sqnr_db is not None and math.isfinite(trial.sqnr_db)
    )
    word = TYPES[found.quantized].word
    return FrontierPlot("sqnr_db", "dB", points, word) if len(points) > 1 else None


def _table(found: Tuning) -> TableBlock:
    shown = [
        (index, trial)
        for index, trial in enumerate(found.trials)
        if not trial.problem and (trial.frontier or index in {0, found.best})
    ]
    shown.sort(key=lambda each: -each[1].int8_share)
    names = list(dict.fromkeys(f.name for _, trial in shown for f in trial.figures))
    rows, word = [], TYPES[found.quantized].word
    for index, trial in shown[:_MANY]:
        told = {figure.name: _show(figure) for figure in trial.figures}
        mark = (" ", State("chosen", "good")) if index == found.best else ()
        rows.append(
            (
                (*parse_prose(_name(trial)), *mark),
                (format_figure(trial.int8_share, "share"),),
                (format_size(trial.size_bytes),),
                (State("pass", "good") if trial.passed else State("fail", "bad"),),
                *(told.get(name, ("–",)) for name in names),
            )
        )
    more = f" (the first {_MANY} of {len(shown)})" if len(shown) > _MANY else ""
    return drop_empty_columns(
        TableBlock(
            f"The frontier, on {found.searched_on}, "
            f"most multiply-accumulates in {word} first{more}; with each figure its 95 % interval",
            ("What changes", word, "Model", "Gates", *names),
            tuple(rows),
            numbers=(1, 2, *range(4, 4 + len(names))),
        )
    )


def _show(figure: TunedFigure) -> InlineText:
    return (figure.found, Aside(figure.interval)) if figure.interval else (figure.found,)


def _name(trial: Trial) -> str:
    """Say all that a trial changes."""
    told = trial.describe() or "the recipe as it was"
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}..."
