"""Plots of several variants."""

from __future__ import annotations

import re

from trtbuild.report.series import (
    BarsPlot,
    SeriesPlot,
    SeriesPoint,
    draw_bars,
    draw_series,
    stand_alone,
)


def places(drawn, kind):
    return [
        tuple(map(float, each))
        for each in re.findall(rf'circle class="{kind}" cx="([0-9.]+)" cy="([0-9.]+)" r="3"', drawn)
    ]


def test_equal_ratios_are_equal_distances():
    """On both axes; a higher value stands higher; what was measured is marked."""
    series = (
        ("a", (SeriesPoint(1, 1), SeriesPoint(2, 10), SeriesPoint(4, 100))),
        ("b", (SeriesPoint(1, 5, 4, 6),)),
    )
    drawn = draw_series(SeriesPlot("t", "batch", "ms", series))
    (x1, y1), (x2, y2), (x3, y3) = places(drawn, "s0")

    assert abs((x2 - x1) - (x3 - x2)) < 0.2
    assert abs((y1 - y2) - (y2 - y3)) < 0.2
    assert y3 < y2 < y1
    assert all(f">{tick}</text>" in drawn for tick in (1, 2, 4, 10, 100))
    assert 1 == len(re.findall('<line class="s1"', drawn))
    assert "b: 5 at 1" in drawn


def test_points_may_stand_alone_and_axes_be_linear():
    """Then nothing joins them; one point has an axis, too."""
    series = (("a", (SeriesPoint(1, 90.0),)), ("b", (SeriesPoint(3, 95.0),)))
    plot = SeriesPlot("t", "ms", "top1", series, joined=False, linear=(False, True))
    drawn = draw_series(plot)

    assert [] == re.findall('<line class="s', drawn)
    assert ">94</text>" in drawn
    assert draw_series(SeriesPlot("t", "x", "y", (("a", (SeriesPoint(1, 1),)),)))


def test_bars_are_as_long_as_they_are_large():
    """And say it."""
    drawn = draw_bars(BarsPlot("memory", (("a", 4 << 20), ("b", 1 << 20))))
    widths = [float(each) for each in re.findall(r'class="s\d" .*?width="([0-9.]+)"', drawn)]

    assert [250.0, 62.5] == widths
    assert ">4.0 MiB</text>" in drawn
    assert stand_alone(drawn).startswith('<svg xmlns="http://www.w3.org/2000/svg" class="plot"')
