"""How two results of a bench, or one and what trtexec wrote, look beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_table
from trtbuild.core.durations import format_ms, format_shapes, format_times
from trtbuild.core.words import format_figure

if TYPE_CHECKING:
    from trtbuild.core.bench_diff import BenchDiff
    from trtbuild.timing.exported import ExportedTimes

__all__ = ["write_bench_diff", "write_exported"]

MOST_LAYERS = 10


def write_bench_diff(found: BenchDiff) -> None:
    """Write a line a row: the old time over the new one, and what noise may make of it."""
    echo(f"{found.before} → {found.after}")
    rows = [["", "", "times as fast", "99.9 %", ""]]
    rows += [
        [
            each.variant,
            format_shapes(each.shapes),
            format_times(each.ratio),
            f"{format_times(each.low)} to {format_times(each.high)}",
            each.found,
        ]
        for each in found.moved
    ]
    pour(format_table(rows))
    echo("runs that are apart must differ by more than 3 % to be told apart")
    for word, names in (("gone", found.gone), ("new", found.come)):
        for name in names:
            echo(f"{word}: {name}")
    for note in found.notes:
        echo(f"note: {note}")


def write_exported(name: str, found: ExportedTimes) -> None:
    """Write what trtexec measured, and why it is not compared."""
    echo()
    echo(f"{name}, by trtexec: shown beside, and not compared")
    for word, spread in (("computing on the device", found.device), ("latency", found.latency)):
        if spread is not None:
            times = (spread.p50.ms, spread.p90.ms, spread.p99.ms)
            p50, p90, p99 = map(format_ms, times)
            echo(f"  {word}: p50 {p50}, p90 {p90}, p99 {p99}, {spread.calls} calls")
    for layer in found.layers[:MOST_LAYERS]:
        share = format_figure(layer.share, "share")
        echo(f"  {format_ms(layer.mean_ms)}  {share}  {layer.name}")
    for each in found.unlike:
        echo(f"  unlike ours: {each}")
