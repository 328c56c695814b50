"""Where the time of a call goes, on a page: the slowest layers, with the precision delivered."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.core.durations import format_ms, format_shapes
from trtbuild.core.layer_times import LayerProfile, LayerProfiles, LayerTime
from trtbuild.core.quantized_types import TYPES
from trtbuild.report.blocks import (
    NOTHING,
    Block,
    Bullets,
    Code,
    Fold,
    InlineText,
    State,
    TableBlock,
    drop_empty_columns,
    parse_prose,
)

__all__ = ["list_layer_blocks"]

SHOWN = 10


def list_layer_blocks(found: LayerProfiles) -> Iterator[Block]:
    """Yield what stands out of each variant, its slowest layers, and what was not taken apart."""
    for each in found.profiles:
        if each.remarks:
            yield Bullets(
                tuple((Code(each.variant), *parse_prose(f": {told}")) for told in each.remarks)
            )
        where = f"{each.variant} at {format_shapes(each.shapes)}"
        yield Fold(f"slowest layers of {where}", (_make_table(each),))
    if found.not_run:
        yield Bullets(
            tuple(
                (Code(each.name), *parse_prose(f": layers not told apart: {each.reason}"))
                for each in found.not_run
            )
        )


def _make_table(found: LayerProfile) -> TableBlock:
    total = len(found.layers) + found.left_out
    caption = (
        f"The {min(SHOWN, total)} slowest of {total} layers, medians of {found.calls} calls under "
        f"a profiler; all layers take {format_ms(found.total_ms)}"
    )
    head = ("Layer", "Operator", "Asked", "Delivered", "Time", "Share")
    rows = tuple(map(_make_row, found.layers[:SHOWN]))
    return drop_empty_columns(TableBlock(caption, head, rows, numbers=(4, 5)))


def _make_row(layer: LayerTime) -> tuple[InlineText, ...]:
    into = TYPES.get(layer.asked)
    multiplies = into is not None and not into.weights_only
    lost = multiplies and layer.delivered not in ("", layer.asked)
    delivered = State(layer.delivered, "bad") if lost else layer.delivered
    return (
        (Code(layer.name),),
        (layer.op,) if layer.op else NOTHING,
        (layer.asked,) if layer.asked else NOTHING,
        (delivered,) if layer.delivered else ("not known",),
        (format_ms(layer.ms),),
        (f"{100 * layer.share:.3g} %",),
    )
