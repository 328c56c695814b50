"""The variants of a recipe side by side: accuracy, types delivered, sizes, speed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trtbuild.core.comparison import CONFIDENCE, Measure
from trtbuild.core.durations import format_ms, format_shapes
from trtbuild.core.placed import MODELS, REPORTS
from trtbuild.core.records import Record, TargetResult
from trtbuild.core.timing import SpeedRow
from trtbuild.core.variants import VariantResult
from trtbuild.core.words import format_interval, format_size
from trtbuild.measure.metrics import find_row
from trtbuild.report.blocks import (
    NOTHING,
    Aside,
    Block,
    Bullets,
    Code,
    InlineText,
    Page,
    Paragraph,
    Section,
    State,
    TableBlock,
    Tone,
    drop_empty_columns,
    parse_prose,
)
from trtbuild.report.comparison import format_value
from trtbuild.report.results import count_precisions

__all__ = ["make_variants_page"]

_MOST_FIGURES = 4
"""Columns of figures; each variant's own report has all."""
_TONES: dict[str, Tone] = {"gate failed": "bad", "failed": "bad", "not reached": "warn"}


def make_variants_page(recipe: str, variants: Sequence[VariantResult]) -> Page:
    """Return a page with a row for each variant, and what the larger engines are."""
    records = [each.record for each in variants if each.record is not None]
    caveats = dict.fromkeys(caveat for each in records for caveat in each.caveats)
    return Page(
        title=f"{recipe}: variants",
        caveats=tuple(caveats),
        lead=(),
        sections=(Section("Variants", tuple(_list_blocks(variants))),),
    )


def _list_blocks(variants: Sequence[VariantResult]) -> Iterator[Block]:
    figures = _choose_figures(variants)
    yield _make_figures(variants, figures)
    yield _make_sizes(variants)
    failed = ((Code(each.name), each.message) for each in variants if each.message)
    if why := tuple((name, *parse_prose(f": {told}")) for name, told in failed):
        yield Bullets(why)
    if larger := tuple(_list_larger(variants)):
        yield Bullets(larger)
    reports = [f"../{each.folder}/{REPORTS[0]}" for each in variants if each.folder]
    if reports:
        yield Paragraph(("Each variant has a report of its own:",))
        yield Bullets(tuple((Code(each),) for each in reports))


def _choose_figures(variants: Sequence[VariantResult]) -> list[tuple[str, str]]:
    """Return the outputs and metrics that are shown: first what the model is for."""
    found: dict[tuple[str, str], Measure] = {}
    for variant in variants:
        for each in _list_measures(variant.record):
            found.setdefault((each.output, each.metric), each)
    ranked = sorted(found, key=lambda at: find_row(at[1]) is not None and not found[at].own)
    return ranked[:_MOST_FIGURES]


def _list_measures(record: Record | None) -> list[Measure]:
    """Return the figures of an engine where one ran here, of the model else."""
    if record is None:
        return []
    compared = next(iter(record.engine_comparisons), record.comparison)
    return [each for each in compared.measures if not each.part_of] if compared else []


def _make_figures(
    variants: Sequence[VariantResult], figures: Sequence[tuple[str, str]]
) -> TableBlock:
    heads = [f"{metric} of {output}" if output else metric for output, metric in figures]
    rows: list[tuple[InlineText, ...]] = [
        (
            (Code(each.name),),
            (State(each.verdict, _TONES.get(each.verdict, "good")),),
            *(_show_figure(each.record, at) for at in figures),
            _show_speed(each.record),
        )
        for each in variants
    ]
    runners = dict.fromkeys(_find_runner(each.record) for each in variants)
    by = ", ".join(filter(None, runners))
    caption = f"Accuracy, measured by {by}; with its 95 % interval" if by else "Accuracy"
    head = ("Variant", "", *heads, "p50")
    numbers = tuple(range(2, len(head)))
    return drop_empty_columns(TableBlock(caption, head, tuple(rows), numbers=numbers))


def _find_runner(record: Record | None) -> str:
    compared = next(iter(record.engine_comparisons), record.comparison) if record else None
    return compared.runner if compared else ""


def _show_figure(record: Record | None, at: tuple[str, str]) -> InlineText:
    found = next(
        (each for each in _list_measures(record) if (each.output, each.metric) == at), None
    )
    if found is None:
        return NOTHING
    interval = found.find_interval(CONFIDENCE)
    sure = (Aside(format_interval(interval.value, found.unit)),) if interval else ()
    return (format_value(found), *sure)


def _show_speed(record: Record | None) -> InlineText:
    """Show the fastest p50 that the last bench measured of its engines, at the first shapes.

    Where none ran, that of the model that they are built from, and not of another beside it.
    """
    if record is None or record.bench is None:
        return NOTHING
    first = record.bench.rows[0].shapes if record.bench.rows else {}
    found: dict[str, list[SpeedRow]] = {}
    for row in record.bench.rows:
        if row.shapes == first:
            found.setdefault(row.variant.rpartition("/")[0], []).append(row)
    engines = [row for target in record.targets for row in found.get(target.target, ())]
    known = {name.rpartition("/")[0] for name in record.bench.list_names()}
    last = next((name for name in MODELS if name in known), "")
    rows = engines or found.get(last, [])
    if not rows:
        return NOTHING
    best = min(rows, key=lambda row: row.host.p50.ms)
    return (format_ms(best.host.p50.ms), Aside(f"{best.variant}, {format_shapes(first)}"))


def _make_sizes(variants: Sequence[VariantResult]) -> TableBlock:
    base = _find_float(variants)
    targets = list(dict.fromkeys(t.target for v in variants if v.record for t in v.record.targets))
    rows = []
    for each in variants:
        cells = [_show_engine(each.record, name, base) for name in targets]
        rows.append(((Code(each.name),), _show_model(each.record, base), *cells))
    head = ("Variant", "Model", *targets)
    numbers = tuple(range(1, len(head)))
    return TableBlock("Sizes, and what the engines' layers compute in", head, tuple(rows), numbers)


def _find_float(variants: Sequence[VariantResult]) -> VariantResult | None:
    """Return the variant whose engines compute in FP32: others' sizes are held against its."""
    for each in variants:
        targets = each.record.targets if each.record else ()
        layers = [layer for target in targets for layer in target.layers]
        if layers and all(layer.asked == layer.delivered == "fp32" for layer in layers):
            return each
    return None


def _measure_model(record: Record | None) -> int:
    """Return the bytes of the model that the engines are built from, its weights included."""
    sizes = {file.path: file.size_bytes for file in record.files} if record else {}
    for each in MODELS.values():
        if each.file in sizes:
            return sizes[each.file] + sizes.get(each.weights, 0)
    return 0


def _show_model(record: Record | None, base: VariantResult | None) -> InlineText:
    size = _measure_model(record)
    if not size:
        return NOTHING
    whole = _measure_model(base.record) if base and base.record is not record else 0
    return (format_size(size), *_show_share(size, whole, base))


def _show_engine(record: Record | None, name: str, base: VariantResult | None) -> InlineText:
    target = _find_target(record, name)
    if target is None:
        return NOTHING
    other = _find_target(base.record if base and base.record is not record else None, name)
    size = target.engine_size_bytes
    share = _show_share(size, other.engine_size_bytes if other else 0, base)
    return (
        format_size(size),
        *share,
        Aside(count_precisions(target.layers) or "no weighted layers"),
    )


def _show_share(size: int, whole: int, base: VariantResult | None) -> tuple[Aside, ...]:
    return (Aside(f"{size / whole:.2f} × {base.name}"),) if base is not None and whole else ()


def _find_target(record: Record | None, name: str) -> TargetResult | None:
    targets = record.targets if record else ()
    return next((each for each in targets if each.target == name), None)


def _list_larger(variants: Sequence[VariantResult]) -> Iterator[InlineText]:
    """Say where a smaller type made a larger engine."""
    base = _find_float(variants)
    for each in variants:
        for target in each.record.targets if each.record and base is not each else ():
            whole = _find_target(base.record if base else None, target.target)
            if whole is not None and target.engine_size_bytes > whole.engine_size_bytes:
                yield parse_prose(
                    f"The engine of `{each.name}` for `{target.target}` is larger than that of "
                    f"`{base.name if base else ''}`: {format_size(target.engine_size_bytes)} to "
                    f"{format_size(whole.engine_size_bytes)}."
                )
