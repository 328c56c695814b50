"""How the costs of layers look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_count, format_table
from trtbuild.core.words import format_figure

if TYPE_CHECKING:
    from trtbuild.core.records import Measure
    from trtbuild.core.sensitivity import LayerSensitivity, Sensitivity
    from trtbuild.verbs.sensitivity import LayerCost, LayerReport

__all__ = ["write_cost", "write_sensitivity"]

MOST_ROWS = 20
MOST_SHARES = 3
"""Metrics in the table; the file has all of them."""
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
    for note in (*found.caveats, *report.notes):
        echo(f"note: {note}")
    echo(f"wrote {report.file}")


def _choose_metrics(found: Sensitivity) -> list[str]:
    """Return the first shares that the recipe asks for: each has two columns of its own."""
    measures = found.layers[0].alone if found.layers else ()
    names = (each.metric for each in measures if each.unit == "share" and each.applies)
    return list(dict.fromkeys(names))[:MOST_SHARES]


def _head(metrics: Iterable[str]) -> list[str]:
    shares = [f"{name} {side}" for name in metrics for side in ("alone", "all but it")]
    return ["layer", "", "alone", "all but it", "own", "clipped", "bits", *shares]


def _whole(found: Sensitivity, metrics: Iterable[str]) -> list[str]:
    from trtbuild.core.sensitivity import find_lowest

    shares = [cell for name in metrics for cell in ("", _share(found.whole, name))]
    return [
        f"(all in {found.quantized_to})",
        "",
        "",
        _db(find_lowest(found.whole)),
        "",
        "",
        "",
        *shares,
    ]


def _rows(layers: Iterable[LayerSensitivity], metrics: list[str]) -> Iterator[list[str]]:
    for layer in layers:
        clipped = max((each.clipped for each in layer.operands), default=None)
        bits = min((each.bits for each in layer.operands), default=None)
        shares = [_share(side, name) for name in metrics for side in (layer.alone, layer.others)]
        yield [
            layer.name,
            layer.op,
            _db(layer.worst_db),
            _db(layer.others_db),
            _db(layer.own_db),
            _clipped(clipped),
            "-" if bits is None else f"{bits:.1f}",
            *shares,
        ]


def _clipped(share: float | None) -> str:
    if share is None:
        return "-"
    return format_figure(share, "share") if share else "0 %"


def _db(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} dB"


def _share(measures: Iterable[Measure], metric: str) -> str:
    values = [each.value for each in measures if each.metric == metric and each.value is not None]
    return format_figure(min(values), "share") if values else "-"


def _format_time(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < HOUR:
        return f"{round(seconds / MINUTE)} min"
    return f"{seconds / HOUR:.1f} h"
