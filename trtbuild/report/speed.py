"""How fast what is built is: tables and plots of a bench."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from trtbuild.core.accuracy import Accuracy, list_accuracy
from trtbuild.core.durations import format_ms, format_rate, format_shapes, format_times
from trtbuild.core.records import Record
from trtbuild.core.timing import BenchResult, Contrast, SpeedRow, TimedVariant, TimePercentile
from trtbuild.core.words import format_size
from trtbuild.report.blocks import (
    NOTHING,
    Aside,
    Block,
    Bullets,
    Code,
    InlineText,
    Page,
    Paragraph,
    PlotBlock,
    PlotRow,
    Section,
    State,
    TableBlock,
    Tone,
    drop_empty_columns,
    parse_prose,
)
from trtbuild.report.layer_times import list_layer_blocks
from trtbuild.report.load import list_load_blocks, list_load_plots
from trtbuild.report.plots import draw
from trtbuild.report.series import BarsPlot, SeriesPlot, SeriesPoint, stand_alone

__all__ = ["draw_files", "make_bench_page", "make_speed_section"]

_LEGEND = (
    "Batches, rates and times are on logarithmic axes, and a line is a variant; a stroke through a "
    "point is where its value lies with 95 % confidence."
)
_TONES: Mapping[str, Tone] = {"faster": "good", "slower": "bad"}


def make_speed_section(record: Record) -> Section | None:
    """Show the last bench of a recipe, where it is of the models that were built."""
    found = record.bench
    return None if found is None else Section("Speed", tuple(_list_blocks(found, record)))


def make_bench_page(found: BenchResult) -> Page:
    """Return a page of a bench alone."""
    blocks = tuple(_list_blocks(found, None))
    return Page(
        title=f"{found.name}: speed", caveats=(), lead=(), sections=(Section("Speed", blocks),)
    )


def draw_files(found: BenchResult) -> dict[str, str]:
    """Return the plots as SVG files, by name."""
    return {f"{name}.svg": stand_alone(draw(each)) for name, each in _list_plots(found, None)}


def _list_blocks(found: BenchResult, record: Record | None) -> Iterator[Block]:
    machine, protocol = found.machine, found.protocol
    on = f"{machine.processor}, {machine.cores} cores ({machine.affinity})"
    on += f", {machine.gpu} with driver {machine.driver}" if machine.gpu else ""
    length = f"{protocol.iterations} calls" if protocol.iterations else f"{protocol.seconds:g} s"
    yield Paragraph(
        parse_prose(
            f"Measured by `trtbuild bench` on {on}: {length} each, in {protocol.rounds} rounds in "
            f"which all took turns; protocol `{found.protocol_digest[7:15]}`. Nothing is left out; "
            "intervals are of 95 %, those of ratios of 99.9 %."
        )
    )
    for doubt in found.doubts:
        yield Paragraph((State("Doubt", "warn"), *parse_prose(f" {doubt}")))
    for verdict in found.verdicts:
        yield _say_verdict(
            verdict.gate, verdict.found or verdict.remark, verdict.passed, verdict.judged
        )
    plots = list(_list_plots(found, record))
    if plots:
        figures = tuple(PlotBlock(each, parse_prose(each.title)) for _, each in plots)
        yield PlotRow("", figures, _LEGEND)
    yield _make_rows(found)
    if found.contrasts:
        yield _make_contrasts(found.contrasts)
    if any(each.cold for each in found.variants):
        yield _make_starts(found.variants)
    yield from list_layer_blocks(found.layers)
    if found.load is not None:
        yield from list_load_blocks(found.load)
    if found.not_run:
        items = tuple(
            (Code(each.name), *parse_prose(f": not run: {each.reason}")) for each in found.not_run
        )
        yield Bullets(items)
    told = [note for variant in found.variants for note in variant.notes]
    if notes := tuple(dict.fromkeys((*told, *found.notes))):
        yield Bullets(tuple(map(parse_prose, notes)))


def _say_verdict(gate: str, found: str, passed: bool, judged: bool) -> Paragraph:  # noqa: FBT001
    state = State("passed", "good") if passed else State("failed", "bad")
    state = state if judged else State("not judged", "warn")
    return Paragraph((state, *parse_prose(f" {gate}: {found}")))


def _make_rows(found: BenchResult) -> TableBlock:
    head = ("Variant", "Inputs", "p50", "p90", "p99", "On the device", "With copies", "A second",
            "At once", "Energy a call")  # fmt: skip
    return drop_empty_columns(
        TableBlock(
            "Times of calls; samples a second of one caller, and of several at once",
            head,
            tuple(map(_make_row, found.rows)),
            numbers=tuple(range(2, len(head))),
        )
    )


def _make_row(row: SpeedRow) -> tuple[InlineText, ...]:
    energy = None if row.use is None else row.use.energy_mj
    several = ", ".join(f"{each.streams}: {format_rate(each.per_second)}" for each in row.streams)
    return (
        (Code(row.variant),),
        (format_shapes(row.shapes), Aside(row.inputs)),
        (format_ms(row.host.p50.ms), Aside(_say_ends(row.host.p50))),
        (format_ms(row.host.p90.ms),),
        (format_ms(row.host.p99.ms),),
        NOTHING if row.device is None else (format_ms(row.device.p50.ms),),
        NOTHING if row.transfers is None else (format_ms(row.transfers.p50.ms),),
        (format_rate(row.per_second),),
        (several,) if several else NOTHING,
        NOTHING if energy is None else (f"{energy:.3g} mJ",),
    )


def _say_ends(found: TimePercentile) -> str:
    low, high = ("?" if each is None else format_ms(each) for each in (found.low, found.high))
    return f"{low} to {high}"


def _make_contrasts(found: Sequence[Contrast]) -> TableBlock:
    rows = tuple(
        (
            (Code(each.variant),),
            (State(each.found, _TONES.get(each.found, "plain")),),
            (Code(each.against),),
            (format_shapes(each.shapes),),
            (
                format_times(each.ratio),
                Aside(f"{format_times(each.low)} to {format_times(each.high)}"),
            ),
        )
        for each in found
    )
    caption = "How variants compare: the time of the other over its own"
    return TableBlock(caption, ("Variant", "is", "Against", "Inputs", "Times"), rows, numbers=(4,))


def _make_starts(variants: Sequence[TimedVariant]) -> TableBlock:
    head = (
        "Variant",
        "Library",
        "Load",
        "First call",
        "Host memory",
        "GPU memory",
        "Files",
        "Computes",
    )
    rows: list[tuple[InlineText, ...]] = []
    for each in variants:
        cold = each.cold
        if cold is None:
            continue
        sizes = (cold.host_peak_bytes, cold.device_peak_bytes)
        rows.append(
            (
                (Code(each.name),),
                (format_ms(cold.import_ms),),
                (format_ms(cold.load_ms),),
                (format_ms(cold.first_call_ms),),
                *(NOTHING if size is None else (format_size(size),) for size in sizes),
                (format_size(each.size_bytes),),
                (each.precision or "–",),
            )
        )
    table = TableBlock("In a process of its own", head, tuple(rows), numbers=(1, 2, 3, 4, 5, 6))
    return drop_empty_columns(table)


def _list_plots(
    found: BenchResult, record: Record | None
) -> Iterator[tuple[str, SeriesPlot | BarsPlot]]:
    """Yield the plots that have something to show, with names for files."""
    names = list(dict.fromkeys(row.variant for row in found.rows))
    by_batch = {
        name: sorted(
            (row for row in found.rows if row.variant == name and row.batch),
            key=lambda row: row.batch or 0,
        )
        for name in names
    }
    if any(len({row.batch for row in rows}) > 1 for rows in by_batch.values()):
        yield "latency", _over_batch(by_batch, "Latency by batch", "p50, ms", _latency)
        yield "throughput", _over_batch(by_batch, "Throughput by batch", "samples a second", _rate)
    cold = [(each.name, each.cold) for each in found.variants if each.cold]
    host = [(name, each.host_peak_bytes) for name, each in cold]
    if bars := tuple((name, size) for name, size in host if size):
        yield "memory", BarsPlot("Host memory at most, over the library's own", bars)
    gpu = [(name, each.device_peak_bytes) for name, each in cold]
    if bars := tuple((name, size) for name, size in gpu if size):
        yield "gpu-memory", BarsPlot("GPU memory at most, by the driver", bars)
    sizes = tuple((each.name, each.size_bytes) for each in found.variants if each.size_bytes)
    if len({size for _, size in sizes}) > 1:
        yield "size", BarsPlot("Size of the model's or engine's files", sizes)
    if found.load is not None:
        yield from list_load_plots(found.load)
    known = found.accuracy
    if not known and record is not None:
        known = list_accuracy(record.comparison, {}, record.quantized[0].name)
    if (plot := _against_accuracy(found, known)) is not None:
        yield "accuracy", plot


def _latency(row: SpeedRow) -> SeriesPoint:
    found = row.host.p50
    return SeriesPoint(float(row.batch or 1), found.ms, found.low, found.high)


def _rate(row: SpeedRow) -> SeriesPoint:
    return SeriesPoint(float(row.batch or 1), row.per_second)


def _over_batch(
    rows: Mapping[str, Sequence[SpeedRow]],
    title: str,
    up: str,
    point: Callable[[SpeedRow], SeriesPoint],
) -> SeriesPlot:
    series = tuple((name, tuple(map(point, each))) for name, each in rows.items() if each)
    return SeriesPlot(title, "batch", up, series)


def _against_accuracy(found: BenchResult, known: Sequence[Accuracy]) -> SeriesPlot | None:
    """Set how right each variant is beside what it costs, at the smallest shapes."""
    of = {each.model: each for each in known}
    first = found.rows[0].shapes if found.rows else {}
    rows = [(row, of.get(row.variant.rpartition("/")[0])) for row in found.rows]
    series = tuple(
        (row.variant, (_place(row, own),))
        for row, own in rows
        if row.shapes == first and own is not None
    )
    if not series:
        return None
    own = known[0]
    end = ", %" if own.unit == "share" else f", {own.unit}" if own.unit else ""
    title = f"{own.metric} against latency at {format_shapes(first)}"
    return SeriesPlot(
        title, "p50, ms", f"{own.metric}{end}", series, joined=False, linear=(False, True)
    )


def _place(row: SpeedRow, own: Accuracy) -> SeriesPoint:
    factor = 100 if own.unit == "share" else 1
    low, high = (None if end is None else factor * end for end in (own.low, own.high))
    return SeriesPoint(row.host.p50.ms, factor * own.value, low, high)
