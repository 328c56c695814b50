"""How times look in a terminal."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.speed import bench_result, spread
from trtbuild.cli.show_bench import write_bench
from trtbuild.core.durations import format_ms, format_rate, format_shapes, format_times
from trtbuild.core.timing import StreamRate
from trtbuild.verbs.benching.report import BenchReport


def shown(capsys, found, *, verbose=False):
    write_bench(BenchReport(found, (Path("build/small/bench.json"),)), verbose=verbose)
    return capsys.readouterr().out


def test_each_set_of_shapes_has_its_table(capsys, golden):
    """What was measured, how variants compare, what was not run, what is doubted, and the file."""
    golden("bench/result.txt", shown(capsys, bench_result()))


def test_columns_are_there_where_something_is_in_them(capsys):
    """Copies, the device's clock, several callers; with --verbose how each was warmed up."""
    found = bench_result()
    first, *rest = found.rows
    rate = StreamRate(streams=4, per_second=1234.0, p50_ms=3.0, p99_ms=9.0)
    more = {"device": spread(1.5), "transfers": spread(2.5), "streams": (rate,)}
    found = found.model_copy(update={"rows": (first.model_copy(update=more), *rest)})
    lines = shown(capsys, found, verbose=True).splitlines()
    head, row, other = lines[5:8]

    assert "on the device  with copies  a second  4 at once" in head
    assert row.endswith("1.5 ms         2.5 ms       476       1 230")
    assert other.endswith("-              -            952       -")
    assert any("480 calls counted, after 60 in 0.25 s" in line for line in lines)


def test_numbers_have_three_digits():
    """And the unit that suits them."""
    assert ["742 µs", "7.42 ms", "74.2 ms", "742 ms", "7.42 s"] == [
        format_ms(value) for value in (0.742, 7.42, 74.2, 742.0, 7420.0)
    ]
    assert ["12.4", "135 000", "1 230"] == [format_rate(v) for v in (12.43, 135_432.0, 1234.0)]
    assert "1.84×" == format_times(1.841)
    assert "x 8×3, s scalar" == format_shapes({"x": (8, 3), "s": ()})
