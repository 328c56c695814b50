"""How times look in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_count, format_table
from trtbuild.cli.show_bench_diff import write_bench_diff, write_exported
from trtbuild.cli.show_bench_layers import write_layers
from trtbuild.cli.show_bench_load import write_load
from trtbuild.core.durations import format_ms, format_rate, format_shapes, format_times
from trtbuild.core.words import format_size

if TYPE_CHECKING:
    from trtbuild.core.timing import (
        BenchResult,
        Contrast,
        SpeedRow,
        SpeedVerdict,
        TimedVariant,
        TimePercentile,
    )
    from trtbuild.verbs.benching.report import BenchReport

__all__ = ["write_bench"]

NONE = "-"


def write_bench(report: BenchReport, *, verbose: bool) -> None:
    """Write a table a set of shapes, how variants compare, what was not run, and doubts."""
    found = report.result
    machine = found.machine
    echo(f"{found.name}: {format_count(len(found.variants), 'variant')} timed in turn")
    gpu = f"; {machine.gpu}, driver {machine.driver}" if machine.gpu else ""
    cores = format_count(machine.cores, "core")
    echo(f"{machine.processor}, {cores} ({machine.affinity}){gpu}")
    echo(_describe_protocol(found))
    for shapes in _list_shapes(found):
        _write_shapes(found, shapes, verbose=verbose)
    _write_cold(found.variants)
    write_layers(found.layers, verbose=verbose)
    if found.load is not None:
        write_load(found.load)
    _write_verdicts(found.verdicts)
    for reason in dict.fromkeys(each.reason for each in found.not_run):
        names = ", ".join(each.name for each in found.not_run if each.reason == reason)
        echo(f"not run: {names}: {reason}")
    told = [note for variant in found.variants for note in variant.notes]
    for note in dict.fromkeys((*told, *found.notes)):
        echo(f"note: {note}")
    for doubt in found.doubts:
        echo(f"doubt: {doubt}")
    if report.diff is not None:
        echo()
        write_bench_diff(report.diff)
    if report.against is not None and report.against.exported is not None:
        write_exported(report.against.name, report.against.exported)
    for file in report.files:
        echo(f"wrote {file}")


def _describe_protocol(found: BenchResult) -> str:
    asked = found.protocol
    length = f"{asked.iterations} calls" if asked.iterations else f"{asked.seconds:g} s"
    threads = f", {format_count(asked.threads, 'thread')}" if asked.threads else ""
    graphs = ", CUDA graphs" if asked.cuda_graphs else ""
    return (
        f"protocol {found.protocol_digest[7:15]}: {length} each in {asked.rounds} rounds{threads}"
        f"{graphs}; nothing left out; intervals of 95 %, of ratios 99.9 %"
    )


def _write_verdicts(verdicts: Sequence[SpeedVerdict]) -> None:
    for verdict in verdicts:
        if not verdict.judged:
            echo(f"gate not judged: {verdict.gate}: {verdict.remark}")
        else:
            word = "passed" if verdict.passed else "failed"
            echo(f"gate {word}: {verdict.gate}: {verdict.found}")


def _list_shapes(found: BenchResult) -> list[dict[str, tuple[int, ...]]]:
    every = [row.shapes for row in found.rows]
    return [each for place, each in enumerate(every) if each not in every[:place]]


def _write_shapes(found: BenchResult, shapes: dict[str, tuple[int, ...]], *, verbose: bool) -> None:
    rows = [row for row in found.rows if row.shapes == shapes]
    sources = ", ".join(dict.fromkeys(row.inputs for row in rows))
    echo()
    echo(f"{format_shapes(shapes)} ({sources})")
    whole, events = any(row.transfers for row in rows), any(row.device for row in rows)
    head = ["", "p50", "95 %", "p90", "p99", *(["on the device"] if events else [])]
    head += [*(["with copies"] if whole else []), "a second"]
    counts = sorted({each.streams for row in rows for each in row.streams})
    head += [f"{count} at once" for count in counts]
    table = [head, *(_cells(row, counts, whole=whole, events=events) for row in rows)]
    pour(format_table(table))
    for each in found.contrasts:
        if each.shapes == shapes:
            echo(f"  {_describe_contrast(each)}")
    for row in rows:
        for remark in row.remarks:
            echo(f"  {row.variant}: {remark}")
        if verbose:
            echo(
                f"  {row.variant}: {row.host.calls} calls counted, after {row.warmup.calls} in "
                f"{row.warmup.seconds:g} s; least {format_ms(row.host.least)}, most "
                f"{format_ms(row.host.most)}"
            )


def _cells(row: SpeedRow, counts: Sequence[int], *, whole: bool, events: bool) -> list[str]:
    host = row.host
    cells = [row.variant, format_ms(host.p50.ms), _ends(host.p50)]
    cells += [format_ms(host.p90.ms), format_ms(host.p99.ms)]
    cells += [NONE if row.device is None else format_ms(row.device.p50.ms)] if events else []
    cells += [NONE if row.transfers is None else format_ms(row.transfers.p50.ms)] if whole else []
    rates = {each.streams: each.per_second for each in row.streams}
    several = [format_rate(rates[count]) if count in rates else NONE for count in counts]
    return [*cells, format_rate(row.per_second), *several]


def _ends(found: TimePercentile) -> str:
    low, high = (NONE if each is None else format_ms(each) for each in (found.low, found.high))
    return f"{low} to {high}"


def _describe_contrast(found: Contrast) -> str:
    ends = f"{format_times(found.low)} to {format_times(found.high)}"
    apart = "" if found.paired else ", not in turn"
    told = f"{format_times(found.ratio)} ({ends}{apart})"
    if found.found == "no difference found":
        return f"{found.variant} and {found.against}: {found.found}: {told}"
    return f"{found.variant} is {found.found} than {found.against}: {told}"


def _write_cold(variants: Sequence[TimedVariant]) -> None:
    rows = list(_list_cold(variants))
    if rows:
        echo()
        echo("in a process of its own")
        head = ["", "library", "load", "first call", "other shapes", "memory", "files", "computes"]
        pour(format_table([head, *rows]))


def _list_cold(variants: Sequence[TimedVariant]) -> Iterator[list[str]]:
    for each in variants:
        cold = each.cold
        if cold is None:
            continue
        peak = cold.host_peak_bytes
        memory = NONE if peak is None else format_size(peak)
        if cold.device_peak_bytes is not None:
            memory += f", GPU {format_size(cold.device_peak_bytes)}"
        yield [
            each.name,
            format_ms(cold.import_ms),
            format_ms(cold.load_ms),
            format_ms(cold.first_call_ms),
            ", ".join(map(format_ms, cold.changed_ms)) or NONE,
            memory,
            format_size(each.size_bytes),
            each.precision or NONE,
        ]
