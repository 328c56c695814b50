"""How the values of the tensors that lose most are spread, and where their ranges end."""

from __future__ import annotations

from trtbuild.core.histograms import ValueCounts
from trtbuild.core.quantized_types import QuantizedType
from trtbuild.core.records import Record
from trtbuild.core.values import Range
from trtbuild.core.words import format_figure
from trtbuild.report.blocks import (
    Block,
    Code,
    Fold,
    InlineText,
    PlotBlock,
    PlotRow,
    Section,
)
from trtbuild.report.plots import HistogramPlot

__all__ = ["make_histograms_section"]

_OPEN = 6
"""Plots that are seen at once."""
_LEGEND = (
    "Size of the values across, their share upwards, both on logarithmic axes. What is beyond the "
    "limit (orange) is cut off there; what is under half a step (grey) becomes 0."
)


def make_histograms_section(record: Record) -> Section | None:
    """Draw each histogram of the record with the limit of its range."""
    figures = [
        _figure(name, counts, record.ranges[name], record.quantized[0])
        for name, counts in record.histograms.items()
        if name in record.ranges
    ]
    if not figures:
        return None
    which = "what the costliest layers read" if record.sensitivity else "what loses most by itself"
    first, rest = tuple(figures[:_OPEN]), tuple(figures[_OPEN:])
    told = f"{len(first)} tensors: {which}"
    blocks: list[Block] = [PlotRow(told, first, f"{which.capitalize()}. {_LEGEND}")]
    if rest:
        blocks.append(Fold(f"{len(rest)} more", (PlotRow("the others", rest),)))
    return Section("Values and their limits", tuple(blocks))


def _figure(name: str, counts: ValueCounts, used: Range, into: QuantizedType) -> PlotBlock:
    beyond = counts.share_above(used.limit) if used.clipped is None else used.clipped
    clipped = format_figure(beyond, "share") if beyond else "none"
    noise = counts.estimate_db(used.limit, into)
    told = f"limit {used.limit:.4g}, largest {counts.largest:.4g}, {clipped} beyond"
    alone = f"; about {noise:.0f} dB by itself" if noise < float("inf") else ""
    caption: InlineText = (Code(name), f" {told}{alone}")
    return PlotBlock(HistogramPlot(name, counts, used.limit, into), caption)
