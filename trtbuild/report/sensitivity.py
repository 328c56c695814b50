"""What INT8 costs layer by layer, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trtbuild.core.comparison import CONFIDENCE
from trtbuild.core.records import Measure, Record
from trtbuild.core.sensitivity import (
    LayerSensitivity,
    Sensitivity,
    find_lowest,
    find_worst,
    list_task_metrics,
)
from trtbuild.core.words import format_figure, format_interval
from trtbuild.report.blocks import (
    NOTHING,
    Aside,
    Bar,
    Block,
    Code,
    Fold,
    InlineText,
    KeyFigure,
    Paragraph,
    Section,
    TableBlock,
    drop_empty_columns,
    parse_prose,
)

__all__ = ["make_sensitivity_section", "show_worst_layer"]

_OPEN = 8
"""Layers that are seen at once."""
_MANY = 1000
_LEGEND = (
    "Alone: this layer in {0}, all others in float; the worst output's signal over noise, and its "
    "noise as a bar, the worst layer's filling it. All but it: all others in {0}, this one in "
    "float. Own: the layer's own output, on exact inputs. Clipped and bits: of what it reads, how "
    "much lies beyond the limit and how many of the 8 bits are in use."
)


def make_sensitivity_section(record: Record) -> Section | None:
    """Say which layers cost most quantized, and why as far as each tells by itself."""
    found = record.sensitivity
    if found is None or not found.layers:
        return None
    word = found.quantized_to
    caption = (
        f"Layers alone in {word}, worst first, on {found.samples} of {found.of} samples; with each "
        "figure its 95 % interval"
    )
    blocks: list[Block] = [
        Paragraph(_whole(found)),
        _table(caption, found, found.layers[:_OPEN]),
    ]
    rest = found.layers[_OPEN:_MANY]
    if rest:
        count = len(found.layers) - _OPEN
        blocks.append(
            Fold(
                f"{count} more that cost{'s' if count == 1 else ''} less",
                (_table("The others", found, rest),),
            )
        )
    blocks += [Paragraph(parse_prose(remark)) for remark in found.remarks]
    blocks.append(Fold("what the columns say", (Paragraph((_LEGEND.format(found.quantized_to),)),)))
    return Section("What each layer costs", tuple(blocks))


def show_worst_layer(found: Sensitivity | None) -> KeyFigure | None:
    """Return the layer that costs most, where layers were measured."""
    if found is None or not found.layers or found.layers[0].worst_db is None:
        return None
    first = found.layers[0]
    return KeyFigure(
        "Costliest layer alone", _db(first.worst_db), (Code(first.name), f" {first.op}")
    )


def _whole(found: Sensitivity) -> InlineText:
    chosen = ", ".join(f"`{each}`" for each in found.asked)
    layers = f"{len(found.layers)} layers" + (f" ({chosen})" if chosen else "")
    whole = find_lowest(found.whole)
    told = [] if whole is None else [_tell(found.whole, "sqnr_db")]
    metric = _choose_metric(found)
    told += [f"`{metric}` {_tell(found.whole, metric)}"] if metric else []
    word = found.quantized_to
    together = f" All in {word}: {', '.join(told)}." if told else ""
    others = ", and then in float alone" if any(each.others for each in found.layers) else ""
    return parse_prose(
        f"Each of {layers} was in {word} alone{others}, in {found.runner}, "
        f"against the {found.reference}.{together}"
    )


def _choose_metric(found: Sensitivity) -> str:
    """Return what has columns of its own beside signal over noise: what labels say, or a share."""
    known = (each for each in found.whole if each.value is not None)
    return next(iter(list_task_metrics(known)), "")


def _table(caption: str, found: Sensitivity, layers: Sequence[LayerSensitivity]) -> TableBlock:
    metric = _choose_metric(found)
    worst = found.layers[0].worst_db
    shares = (f"{metric} alone", f"{metric} all but it") if metric else ()
    head = ("Layer", "Alone", "All but it", *shares, "Own", "Clipped", "Bits")
    rows = tuple(_row(layer, worst, metric) for layer in layers)
    numbers = tuple(range(2, len(head)))
    return drop_empty_columns(TableBlock(caption, head, rows, numbers=numbers))


def _row(layer: LayerSensitivity, worst: float | None, metric: str) -> tuple[InlineText, ...]:
    clipped = max((each.clipped for each in layer.operands), default=None)
    bits = min((each.bits for each in layer.operands), default=None)
    sides = (layer.alone, layer.others) if metric else ()
    return (
        (Code(layer.name), f" {layer.op}"),
        _bar(find_worst(layer.alone, "sqnr_db"), worst),
        _figure(layer.others, "sqnr_db"),
        *(_figure(side, metric) for side in sides),
        (_db(layer.own_db),),
        NOTHING if clipped is None else (format_figure(clipped, "share") if clipped else "0 %",),
        NOTHING if bits is None else (f"{bits:.1f}",),
    )


def _bar(found: Measure | None, worst: float | None) -> InlineText:
    """Draw the noise's amplitude, which halves each 6 dB."""
    if found is None or found.value is None or worst is None:
        return NOTHING
    return (Bar(10 ** ((worst - found.value) / 20), _db(found.value)), *_aside(found))


def _db(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} dB"


def _figure(measures: Iterable[Measure], metric: str) -> InlineText:
    """Return the worst output's value of a metric, with its interval."""
    found = find_worst(measures, metric)
    if found is None or found.value is None:
        return ("–",)
    told = _db(found.value) if found.unit == "dB" else format_figure(found.value, found.unit)
    return (told, *_aside(found))


def _tell(measures: Iterable[Measure], metric: str) -> str:
    """Return the same in prose."""
    figure, *aside = _figure(measures, metric)
    return f"{figure} ({aside[0].text})" if aside and isinstance(aside[0], Aside) else f"{figure}"


def _aside(found: Measure) -> InlineText:
    interval = found.find_interval(CONFIDENCE)
    return () if interval is None else (Aside(format_interval(interval.value, found.unit)),)
