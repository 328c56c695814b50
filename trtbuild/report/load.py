"""How models bear requests that come at a rate: a table, and latency against rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trtbuild.core.durations import format_ms, format_rate, format_shapes
from trtbuild.core.load import LoadResult, LoadRow
from trtbuild.core.words import format_figure
from trtbuild.report.blocks import (
    Aside,
    Block,
    Bullets,
    Code,
    InlineText,
    Paragraph,
    State,
    TableBlock,
    Tone,
    parse_prose,
)
from trtbuild.report.series import SeriesPlot, SeriesPoint

__all__ = ["list_load_blocks", "list_load_plots"]

_TONES: dict[str, Tone] = {"keeps up": "good", "at its limit": "warn", "cannot keep up": "bad"}
_MOST_QUEUES = 8
"""Lines of a plot that can be told apart."""


def list_load_blocks(found: LoadResult) -> Iterator[Block]:
    """Yield what was asked, a table, and what was not run."""
    told = f"Under {found.asked.describe()}: times count from when a request was due to its answer."
    if found.rows:
        told += f" A request is of {format_shapes(found.rows[0].shapes)}."
    yield Paragraph(parse_prose(told))
    if found.rows:
        yield _make_table(found)
    remarks = [f"{each.variant} at {format_rate(each.rate)} a second: {remark}"
               for each in found.rows for remark in each.remarks]  # fmt: skip
    remarks += [f"{each.name} at a rate: not run: {each.reason}" for each in found.not_run]
    if remarks:
        yield Bullets(tuple(map(parse_prose, remarks)))


def _make_table(found: LoadResult) -> TableBlock:
    head = ("Variant", "Asked", "Answered", "Does it keep up?", "p50", "p90", "p99", "Queued",
            "Held", "Running", "A call", "Busy", "Waiting")  # fmt: skip
    return TableBlock(
        "Requests a second; means of what a request waited in the queue, was held for others, and "
        "of its call's time; requests a call; how many waited, on average and at most",
        head,
        tuple(map(_make_row, found.rows)),
        numbers=(1, 2, *range(4, len(head))),
    )


def _make_row(row: LoadRow) -> tuple[InlineText, ...]:
    found = row.latency
    times = (found.p50.ms, found.p90.ms, found.p99.ms, row.queued_ms, row.held_ms, row.running_ms)
    return (
        (Code(row.variant),),
        (format_rate(row.rate),),
        (format_rate(row.per_second),),
        (State(row.describe(), _TONES[row.verdict]),),
        *((format_ms(each),) for each in times),
        (format_rate(row.batch),),
        (format_figure(row.busy, "share"),),
        (format_rate(row.queue.mean), Aside(f"{row.queue.most}")),
    )


def list_load_plots(found: LoadResult) -> Iterator[tuple[str, SeriesPlot]]:
    """Yield latency against rate, where models keep up; and the queue over time, of all."""
    names = list(dict.fromkeys(row.variant for row in found.rows))
    borne = [row for row in found.rows if row.verdict != "cannot keep up"]
    series = tuple(
        (f"{name} {word}", points)
        for name in names
        for word, read in (("p50", _read_p50), ("p99", _read_p99))
        if (points := _list_points(borne, name, read))
    )
    if series:
        title = "Latency by requests a second, where the model keeps up"
        yield "load", SeriesPlot(title, "requests a second", "ms", series)
    queues = tuple(
        (f"{row.variant} at {format_rate(row.rate)} a second", _list_lengths(row))
        for row in found.rows[:_MOST_QUEUES]
    )
    if queues:
        title = "Requests that wait, over time"
        more = f" (the first {_MOST_QUEUES})" if len(found.rows) > _MOST_QUEUES else ""
        yield (
            "queue",
            SeriesPlot(title + more, "seconds", "waiting", queues, linear=(True, True), radius=0.8),
        )


def _list_points(
    rows: list[LoadRow], name: str, read: Callable[[LoadRow], SeriesPoint]
) -> tuple[SeriesPoint, ...]:
    mine = (row for row in rows if row.variant == name)
    return tuple(map(read, sorted(mine, key=lambda row: row.rate)))


def _read_p50(row: LoadRow) -> SeriesPoint:
    found = row.latency.p50
    return SeriesPoint(row.rate, found.ms, found.low, found.high)


def _read_p99(row: LoadRow) -> SeriesPoint:
    found = row.latency.p99
    return SeriesPoint(row.rate, found.ms, found.low, found.high)


def _list_lengths(row: LoadRow) -> tuple[SeriesPoint, ...]:
    return tuple(SeriesPoint(seconds, length) for seconds, length in row.queue.over_time)
