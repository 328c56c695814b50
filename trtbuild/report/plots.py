"""Plots as inline SVG: from numbers to text, told in words too."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from trtbuild.core.histograms import PER_OCTAVE, ValueCounts
from trtbuild.core.quantized_types import INT8, QuantizedType
from trtbuild.core.words import Unit, format_figure
from trtbuild.report.series import BarsPlot, SeriesPlot, draw_bars, draw_series
from trtbuild.report.svg import PlotFrame, draw_circle, draw_line, draw_rectangle, draw_svg, label

__all__ = ["ChannelPlot", "FrontierPlot", "FrontierPoint", "HistogramPlot", "Plot", "draw"]

Point = tuple[float, float]
_LEAST_SHARE = 1e-6
"""Of all values: what is rarer has no height."""
_SHARES = ((1.0, "100 %"), (1e-2, "1 %"), (1e-4, "0.01 %"))
_AIR = 0.1
"""Of what an axis spans, left free at either end."""
_STEPS = (1, 2, 2.5, 5, 10)
_MOST_TICKS = 5
_AT_THE_SIDE = 0.2
"""Of a plot's width: a label that is centred so close to an end would stick out."""


@dataclass(frozen=True)
class HistogramPlot:
    """How a tensor's values are spread, and the limit of its range."""

    name: str
    counts: ValueCounts
    limit: float
    into: QuantizedType = INT8


@dataclass(frozen=True)
class FrontierPoint:
    """What one way to quantize a model gives."""

    name: str
    share: float
    """Of the multiply-accumulates, in a quantized type: 0 to 1."""
    value: float
    passed: bool
    best: bool
    """Nothing has as large a share and is better."""
    chosen: bool


@dataclass(frozen=True)
class FrontierPlot:
    """A figure against the share of the work that is quantized."""

    metric: str
    unit: Unit
    points: tuple[FrontierPoint, ...]
    word: str = INT8.word
    """Of the type."""


@dataclass(frozen=True)
class ChannelPlot:
    """How the values of one channel are spread, in equal bins between two ends."""

    name: str
    ends: Point
    counts: tuple[int, ...]
    mean: float


Plot = HistogramPlot | FrontierPlot | ChannelPlot | SeriesPlot | BarsPlot


def draw(plot: Plot) -> str:
    """Draw a plot as one SVG element."""
    match plot:
        case HistogramPlot():
            return _draw_histogram(plot)
        case FrontierPlot():
            return _draw_frontier(plot)
        case ChannelPlot():
            return _draw_channel(plot)
        case SeriesPlot():
            return draw_series(plot)
        case BarsPlot():
            return draw_bars(plot)


def _draw_channel(plot: ChannelPlot) -> str:
    low, high = plot.ends if plot.ends[0] < plot.ends[1] else (plot.ends[0] - 1, plot.ends[1] + 1)
    most = max(plot.counts, default=0) or 1
    frame = PlotFrame(8, 8, 312, 84, across=(low, high), up=(0, most))
    width = (frame.right - frame.left) / max(1, len(plot.counts))
    parts = [
        draw_rectangle(
            "kept",
            (frame.left + place * width + 0.4, frame.y(count)),
            (width - 0.8, frame.bottom - frame.y(count)),
        )
        for place, count in enumerate(plot.counts)
        if count
    ]
    parts.append(draw_line("axis", (frame.left, frame.bottom), (frame.right, frame.bottom)))
    x = frame.x(plot.mean)
    parts.append(draw_line("limit", (x, frame.top - 4), (x, frame.bottom + 2)))
    parts.append(label((frame.left, frame.bottom + 14), f"{low:.4g}"))
    parts.append(label((frame.right, frame.bottom + 14), f"{high:.4g}", anchor="end"))
    title = f"Histogram of {plot.name}: from {low:.4g} to {high:.4g}, mean {plot.mean:.4g}"
    return draw_svg(320, 104, title, parts)


def _draw_histogram(plot: HistogramPlot) -> str:
    """Draw shares of values over their size, both on logarithmic axes.

    What is below half a step becomes 0 and what is above the limit is cut off: so both are seen,
    however far the largest value lies from the rest.
    """
    counts, limit = plot.counts, plot.limit
    bins = len(counts.counts) + 1  # the first holds all that is smaller, zeros among it
    frame = PlotFrame(38, 8, 312, 104, across=(0, bins))
    parts = [*_share_lines(frame), *_bars(frame, plot)]
    parts.append(draw_line("axis", (frame.left, frame.bottom), (frame.right, frame.bottom)))
    parts.append(label((frame.left, frame.bottom + 24), "0"))
    parts.append(label((frame.right, frame.bottom + 24), f"{counts.largest:.4g}", anchor="end"))
    if limit > 0:
        x = frame.x(bins + math.log2(limit / counts.largest) * PER_OCTAVE)
        parts.append(draw_line("limit", (x, frame.top - 4), (x, frame.bottom + 2)))
        told = f"limit {limit:.4g}"
        at, anchor = (x, frame.bottom + 12), _find_anchor(frame, x)
        parts.append(label(at, told, anchor=anchor, kind="strong"))
    beyond = counts.share_above(limit)
    title = (
        f"Histogram of {plot.name}, both axes logarithmic: largest {counts.largest:.4g}, limit "
        f"{limit:.4g}, {format_figure(beyond, 'share') if beyond else 'nothing'} beyond it"
    )
    return draw_svg(320, 132, title, parts)


def _bars(frame: PlotFrame, plot: HistogramPlot) -> Iterator[str]:
    counts, limit = plot.counts, plot.limit
    half = limit / plot.into.largest * plot.into.smallest / 2
    edges = [0.0, *(counts.edge(place) for place in range(len(counts.counts) + 1))]
    for place, count in enumerate((counts.below, *counts.counts)):
        y = frame.y(_height(count / counts.total))
        if y < frame.bottom:
            middle = math.sqrt(edges[place] * edges[place + 1])
            lost, zero = middle > limit, middle < half
            kind = "lost" if lost else "zero" if zero else "kept"
            x, end = frame.x(place), frame.x(place + 1)
            yield draw_rectangle(kind, (x + 0.4, y), (end - x - 0.8, frame.bottom - y))


def _height(share: float) -> float:
    """Return how high a share stands, 0 to 1, on a logarithmic axis."""
    return max(0.0, 1 - math.log10(share) / math.log10(_LEAST_SHARE)) if share else 0.0


def _share_lines(frame: PlotFrame) -> Iterator[str]:
    for share, told in _SHARES:
        y = frame.y(_height(share))
        yield draw_line("grid", (frame.left, y), (frame.right, y))
        yield label((frame.left - 4, y + 3), told, anchor="end")


def _find_anchor(frame: PlotFrame, x: float) -> Literal["start", "middle", "end"]:
    share = (x - frame.left) / (frame.right - frame.left)
    return "start" if share < _AT_THE_SIDE else "end" if share > 1 - _AT_THE_SIDE else "middle"


def _draw_frontier(plot: FrontierPlot) -> str:
    frame = PlotFrame(
        56,
        14,
        350,
        178,
        across=_span([each.share for each in plot.points]),
        up=_span([each.value for each in plot.points]),
    )
    parts = [*_value_ticks(frame, plot.unit), *_share_ticks(frame, plot.word)]
    parts.append(draw_line("axis", (frame.left, frame.bottom), (frame.right, frame.bottom)))
    best = sorted((each for each in plot.points if each.best), key=lambda each: each.share)
    places = [(frame.x(each.share), frame.y(each.value)) for each in best]
    parts += [draw_line("joined", *ends) for ends in itertools.pairwise(places)]
    for each in sorted(plot.points, key=lambda each: (each.passed, each.chosen)):
        at = (frame.x(each.share), frame.y(each.value))
        told = f"{each.name}: {_say(each, plot)}"
        parts += [draw_circle("chosen", at, 8, told)] if each.chosen else []
        parts.append(draw_circle("passed" if each.passed else "failed", at, 4, told))
    chosen = [f"; chosen: {_say(each, plot)}" for each in plot.points if each.chosen]
    title = (
        f"{plot.metric} against the share of the work in {plot.word}, {len(plot.points)} "
        f"candidates{''.join(chosen)}"
    )
    return draw_svg(360, 216, title, parts)


def _say(point: FrontierPoint, plot: FrontierPlot) -> str:
    share = format_figure(point.share, "share")
    return f"{format_figure(point.value, plot.unit)} with {share} in {plot.word}"


def _span(values: Iterable[float]) -> Point:
    """Return the ends of an axis, with some air around what is on it."""
    found = list(values)
    low, high = min(found), max(found)
    air = (high - low) * _AIR or abs(low) * _AIR or 1.0
    return low - air, high + air


def _value_ticks(frame: PlotFrame, unit: Unit) -> Iterator[str]:
    factor = 100 if unit == "share" else 1
    end = " %" if unit == "share" else f" {unit}" if unit else ""
    for tick in _ticks(frame.up[0] * factor, frame.up[1] * factor):
        y = frame.y(tick / factor)
        yield draw_line("grid", (frame.left, y), (frame.right, y))
        yield label((frame.left - 6, y + 3), f"{tick:.6g}{end}", anchor="end")


def _share_ticks(frame: PlotFrame, word: str) -> Iterator[str]:
    found = _ticks(frame.across[0] * 100, frame.across[1] * 100)
    for tick in (each for each in found if each / 100 <= 1):  # beyond is air
        at = (frame.x(tick / 100), frame.bottom + 14)
        yield label(at, f"{tick:.6g} %", anchor="middle")
    middle = (frame.left + frame.right) / 2
    yield label((middle, frame.bottom + 30), f"multiply-accumulates in {word}", anchor="middle")


def _ticks(low: float, high: float) -> list[float]:
    """Return a few round numbers between two."""
    rough = (high - low) / _MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough)
    return [each * step for each in range(math.ceil(low / step), math.floor(high / step) + 1)]
