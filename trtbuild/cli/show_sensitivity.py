"""How the costs of layers look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_count, format_table
from trtbuild.core.words import format_figure, format_interval

if TYPE_CHECKING:
    from trtbuild.core.records import Measure
    from trtbuild.core.sensitivity import LayerSensitivity, Sensitivity
    from trtbuild.verbs.sensitivity import LayerCost, LayerReport

__all__ = ["write_cost", "write_sensitivity"]

MOST_ROWS = 20
MOST_METRICS = 3
"""Beside signal over noise; the file has all of them."""
MINUTE, HOUR = 60, 3600


def write_cost(cost: LayerCost) -> None:
    """Say what measuring is going to cost, before it is spent."""
    took = f", about {_format_time(cost.seconds)} on this machine" if cost.seconds else ""
    others = " and all but it" if cost.others else ""
    layers, samples = format_count(cost.layers, "layer"), format_count(cost.samples, "sample")
    echo(
        f"{layers} × {samples}, each layer alone{others} in {cost.word}: {cost.passes} passes over "
        f"half the network on average{took}",
        err=True,
    )


def write_sensitivity(report: LayerReport, *, verbose: bool) -> None:
    """Write a line a layer, worst first, and where the rest is."""
    found = report.sensitivity
    word = found.quantized_to
    chosen = f" ({', '.join(found.asked)})" if found.asked else ""
    echo(
        f"{format_count(len(found.layers), 'layer')} in {word}{chosen}, one by one, on "
        f"{found.samples} of {format_count(found.of, 'sample')}"
    )
    echo(f"{found.runner}, Q/DQ as they stand, against the {found.reference}")
    shown = found.layers if verbose else found.layers[:MOST_ROWS]
    metrics = _choose_metrics(found)
    pour(format_table([_head(metrics), _whole(found, metrics), *_rows(shown, metrics)]))
    if len(found.layers) > len(shown):
        echo(f"  and {len(found.layers) - len(shown)} more that cost less (--verbose shows them)")
    echo(
        f"alone: only this layer is {word}; all but it: all others are. The worst output's "
        "SQNR. own: the layer's output, on exact inputs. bits: log2 of the levels that its input "
        "takes."
    )
    if sure := _describe_sureness(found, metrics):
        echo(f"95 % intervals, all in {word}: {sure}; of each layer: in {report.file.name}")
    for note in (*found.caveats, *report.notes):
        echo(f"note: {note}")
    echo(f"wrote {report.file}")


def _choose_metrics(found: Sensitivity) -> tuple[str, ...]:
    """Return the first figures of what the model is for: each has two columns of its own."""
    from trtbuild.core.sensitivity import list_task_metrics

    return list_task_metrics(found.layers[0].alone if found.layers else ())[:MOST_METRICS]


def _head(metrics: Sequence[str]) -> list[str]:
    figures = [f"{name} {side}" for name in metrics for side in ("alone", "all but it")]
    return ["layer", "", "alone", "all but it", "own", "clipped", "bits", *figures]


def _whole(found: Sensitivity, metrics: Sequence[str]) -> list[str]:
    figures = [cell for name in metrics for cell in ("", _figure(found.whole, name))]
    first = f"(all in {found.quantized_to})"
    return [first, "", "", _figure(found.whole, "sqnr_db"), "", "", "", *figures]


def _rows(layers: Iterable[LayerSensitivity], metrics: Sequence[str]) -> Iterator[list[str]]:
    for layer in layers:
        clipped = max((each.clipped for each in layer.operands), default=None)
        bits = min((each.bits for each in layer.operands), default=None)
        figures = [_figure(side, name) for name in metrics for side in (layer.alone, layer.others)]
        yield [
            layer.name,
            layer.op,
            _figure(layer.alone, "sqnr_db"),
            _figure(layer.others, "sqnr_db"),
            _db(layer.own_db),
            _clipped(clipped),
            "-" if bits is None else f"{bits:.1f}",
            *figures,
        ]


def _clipped(share: float | None) -> str:
    if share is None:
        return "-"
    return format_figure(share, "share") if share else "0 %"


def _db(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} dB"


def _figure(measures: Iterable[Measure], metric: str) -> str:
    """Write the worst output's value of a metric."""
    from trtbuild.core.sensitivity import find_worst

    found = find_worst(measures, metric)
    if found is None or found.value is None:
        return "-"
    return _db(found.value) if found.unit == "dB" else format_figure(found.value, found.unit)


def _describe_sureness(found: Sensitivity, metrics: Sequence[str]) -> str:
    """Say how sure such figures are, by those with all layers quantized."""
    from trtbuild.core.comparison import CONFIDENCE
    from trtbuild.core.sensitivity import find_worst

    told = []
    for metric in ("sqnr_db", *metrics):
        measure = find_worst(found.whole, metric)
        interval = None if measure is None else measure.find_interval(CONFIDENCE)
        if measure is not None and interval is not None:
            told.append(f"{metric} {format_interval(interval.value, measure.unit)}")
    return ", ".join(told)


def _format_time(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < HOUR:
        return f"{round(seconds / MINUTE)} min"
    return f"{seconds / HOUR:.1f} h"
