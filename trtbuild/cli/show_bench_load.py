"""How models that bear requests at a rate look in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_table
from trtbuild.core.durations import format_ms, format_rate, format_shapes
from trtbuild.core.words import format_figure

if TYPE_CHECKING:
    from trtbuild.core.load import LoadResult, LoadRow

__all__ = ["write_load"]

_HEAD = (
    "", "asked", "answered", "p50", "p90", "p99", "queued", "held", "running", "a call", "busy",
    "waiting", "",
)  # fmt: skip


def write_load(found: LoadResult) -> None:
    """Write a line a variant and rate: times from when a request was due to its answer."""
    echo()
    echo(found.asked.describe())
    if found.rows:
        shapes = found.rows[0].shapes
        echo(f"of {format_shapes(shapes)} each; times from when a request was due to its answer")
        pour(format_table([list(_HEAD), *map(_cells, found.rows)]))
    for row in found.rows:
        for remark in row.remarks:
            echo(f"  {row.variant} at {format_rate(row.rate)} a second: {remark}")
    for each in found.not_run:
        echo(f"not run: {each.name} at a rate: {each.reason}")


def _cells(row: LoadRow) -> list[str]:
    times = (row.latency.p50.ms, row.latency.p90.ms, row.latency.p99.ms)
    parts = (row.queued_ms, row.held_ms, row.running_ms)
    return [
        row.variant,
        f"{format_rate(row.rate)}/s",
        f"{format_rate(row.per_second)}/s",
        *map(format_ms, times),
        *map(format_ms, parts),
        format_rate(row.batch),
        format_figure(row.busy, "share"),
        format_rate(row.queue.mean),
        row.describe(),
    ]
