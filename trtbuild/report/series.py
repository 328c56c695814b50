"""Plots of several variants: lines over batch sizes, points, and bars; on a page, or as files."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from trtbuild.core.words import format_size
from trtbuild.report.svg import PlotFrame, draw_circle, draw_line, draw_rectangle, draw_svg, label

__all__ = ["BarsPlot", "SeriesPlot", "SeriesPoint", "draw_bars", "draw_series", "stand_alone"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#555555")
"""Okabe and Ito's, which people tell apart whatever colours they see; then again from the first."""
_ROW = 14
_WIDTH = 360
_STYLE = (
    "text{font:10px Helvetica,Arial,sans-serif;fill:#333}.axis{stroke:#333}.grid{stroke:#ddd}"
    ".strong{font-weight:bold}"
    + "".join(
        f".s{place}{{fill:{colour};stroke:{colour};stroke-width:1.5}}"
        f".b{place}{{fill:{colour};fill-opacity:.18;stroke:none}}"
        for place, colour in enumerate(COLOURS)
    )
)


@dataclass(frozen=True)
class SeriesPoint:
    """A value of a variant, and where it lies with confidence."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class SeriesPlot:
    """Variants over something, both axes logarithmic; joined, or single points."""

    title: str
    across: str
    up: str
    series: tuple[tuple[str, tuple[SeriesPoint, ...]], ...]
    joined: bool = True
    linear: tuple[bool, bool] = (False, False)
    """Whether an axis is linear: across, and up."""
    radius: float = 3
    """Of the points."""


@dataclass(frozen=True)
class BarsPlot:
    """Sizes in bytes, a bar each."""

    title: str
    bars: tuple[tuple[str, int], ...]


def draw_series(plot: SeriesPlot) -> str:
    """Draw a plot as one SVG element, with a legend below it that says each variant's name."""
    points = [point for _, each in plot.series for point in each]
    legend = len(plot.series) * _ROW
    across = _Axis.of([each.x for each in points], linear=plot.linear[0])
    if plot.joined and not plot.linear[0]:  # what was measured is marked, and nothing else
        across = replace(across, ticks=tuple(sorted({each.x for each in points})))
    ends = [end for each in points for end in (each.y, each.low, each.high) if end is not None]
    up = _Axis.of(ends, linear=plot.linear[1])
    frame = PlotFrame(52, 22, 350, 190, across=(across.low, across.high), up=(up.low, up.high))
    parts = [*_ticks(frame, across, up)]
    parts.append(draw_line("axis", (frame.left, frame.bottom), (frame.right, frame.bottom)))
    parts.append(draw_line("axis", (frame.left, frame.top), (frame.left, frame.bottom)))
    parts.append(label((frame.left - 44, 12), plot.up, kind="strong"))
    middle = (frame.left + frame.right) / 2
    parts.append(label((middle, frame.bottom + 30), plot.across, anchor="middle", kind="strong"))
    for place, (name, each) in enumerate(plot.series):
        parts += _draw_one(frame, across, up, each, name, place % len(COLOURS), plot)
        y = frame.bottom + 48 + place * _ROW
        parts.append(draw_circle(f"s{place % len(COLOURS)}", (frame.left, y - 3), 4, name))
        parts.append(label((frame.left + 10, y), name))
    return draw_svg(_WIDTH, int(frame.bottom) + 46 + legend, plot.title, parts)


def draw_bars(plot: BarsPlot) -> str:
    """Draw bars, the name above each and the size at its end."""
    most = max((size for _, size in plot.bars), default=0) or 1
    parts = []
    for place, (name, size) in enumerate(plot.bars):
        y = 14 + place * 30
        width = 250 * size / most
        parts.append(label((8, y), name))
        parts.append(draw_rectangle(f"s{place % len(COLOURS)}", (8, y + 4), (max(width, 0.5), 9)))
        parts.append(label((14 + width, y + 12), format_size(size)))
    return draw_svg(_WIDTH, 14 + 30 * len(plot.bars), plot.title, parts)


def stand_alone(drawing: str) -> str:
    """Make a file of a drawing, with colours of its own, for a paper or a slide."""
    opened = '<svg xmlns="http://www.w3.org/2000/svg" '
    head, mark, rest = drawing.partition(">")
    return f"{head.replace('<svg ', opened, 1)}{mark}<style>{_STYLE}</style>{rest}\n"


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    linear: bool
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float], *, linear: bool) -> _Axis:
        low, high = min(values, default=1.0), max(values, default=2.0)
        if linear:
            air = (high - low) * 0.1 or abs(low) * 0.1 or 1.0
            bottom, top = max(0.0, low - air) if low >= 0 else low - air, high + air
            step = _round_step((top - bottom) / 5)
            marks = range(math.ceil(bottom / step), math.floor(top / step) + 1)
            return cls(bottom, top, linear, tuple(step * each for each in marks))
        bottom, top = math.log10(low), math.log10(high)
        air = (top - bottom) * 0.06 or 0.15
        ends = (bottom - air, top + air)
        return cls(*ends, linear, tuple(_list_round(*ends)))

    def at(self, value: float) -> float:
        """Return where a value stands, in what `low` and `high` are in."""
        return value if self.linear else math.log10(max(value, 1e-12))


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough)


def _list_round(low: float, high: float) -> Iterator[float]:
    """Yield 1, 2 and 5 of each decade, or where these are many 1 alone."""
    marks = (1,) if high - low > 2.5 else (1, 2, 5)  # noqa: PLR2004  # decades
    for power in range(math.floor(low), math.ceil(high) + 1):
        for mark in marks:
            if low <= math.log10(mark) + power <= high:
                yield mark * 10.0**power


def _ticks(frame: PlotFrame, across: _Axis, up: _Axis) -> Iterator[str]:
    for tick in up.ticks:
        y = frame.y(up.at(tick))
        yield draw_line("grid", (frame.left, y), (frame.right, y))
        yield label((frame.left - 5, y + 3), f"{tick:.6g}", anchor="end")
    for tick in across.ticks:
        x = frame.x(across.at(tick))
        yield draw_line("grid", (x, frame.bottom), (x, frame.bottom + 4))
        yield label((x, frame.bottom + 15), f"{tick:.6g}", anchor="middle")


def _draw_one(
    frame: PlotFrame,
    across: _Axis,
    up: _Axis,
    points: Sequence[SeriesPoint],
    name: str,
    colour: int,
    plot: SeriesPlot,
) -> Iterator[str]:
    kind = f"s{colour}"
    places = [(frame.x(across.at(each.x)), frame.y(up.at(each.y))) for each in points]
    for each, (x, _) in zip(points, places, strict=True):
        if each.low is not None and each.high is not None:
            yield draw_line(kind, (x, frame.y(up.at(each.low))), (x, frame.y(up.at(each.high))))
    if plot.joined:
        yield from (draw_line(kind, *ends) for ends in itertools.pairwise(places))
    for each, at in zip(points, places, strict=True):
        yield draw_circle(kind, at, plot.radius, f"{name}: {each.y:.4g} at {each.x:.4g}")
