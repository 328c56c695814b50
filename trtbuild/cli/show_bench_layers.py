"""Where the time of a call goes, in a terminal: the slowest layers of each variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.show import format_count, format_table
from trtbuild.core.durations import format_ms, format_shapes

if TYPE_CHECKING:
    from trtbuild.core.layer_times import LayerProfile, LayerProfiles, LayerTime

__all__ = ["write_layers"]

FEW = 5
"""Rows of a variant, unless all are asked for."""


def write_layers(found: LayerProfiles, *, verbose: bool) -> None:
    """Write the slowest layers of each, and what stands out; with `verbose` all that are kept."""
    for each in found.profiles:
        _write(each, each.layers if verbose else each.layers[:FEW])
    if verbose:
        for left in found.not_run:
            echo(f"layers of {left.name}: {left.reason}")


def _write(found: LayerProfile, layers: tuple[LayerTime, ...]) -> None:
    echo()
    more = len(found.layers) + found.left_out - len(layers)
    beyond = f"; {format_count(more, 'more layer')}" if more else ""
    echo(f"slowest layers of {found.variant} at {format_shapes(found.shapes)}{beyond}")
    asks = any(layer.asked for layer in found.layers)
    head = ["share", "time", *(["asked"] if asks else []), "delivered", "operator", "layer"]
    pour(format_table([head, *(_cells(layer, asks=asks) for layer in layers)]))
    for remark in found.remarks:
        echo(f"  {remark}")


def _cells(layer: LayerTime, *, asks: bool) -> list[str]:
    return [
        f"{100 * layer.share:.3g} %",
        format_ms(layer.ms),
        *([layer.asked or "-"] if asks else []),
        layer.delivered or "not known",
        layer.op,
        layer.name,
    ]
