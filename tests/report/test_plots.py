"""Plots: where bars, lines and points lie, and what they say."""

from __future__ import annotations

import re

from trtbuild.core.histograms import BINS, PER_OCTAVE, ValueCounts
from trtbuild.report.plots import FrontierPlot, FrontierPoint, HistogramPlot, draw


def histogram(limit, *, below=0, **counts):
    """A tensor with values in a few octaves below its largest, 16."""
    rows = [0] * BINS
    for octave, count in counts.items():
        rows[BINS - 1 - PER_OCTAVE * int(octave[1:])] = count
    counted = ValueCounts(largest=16.0, below=below, counts=tuple(rows))
    return draw(HistogramPlot("t", counted, limit))


def test_bars_are_of_what_becomes_of_their_values():
    """Cut off beyond the limit, kept, or less than half a step: each a colour."""
    drawn = histogram(4.0, below=1, o0=1, o3=1, o11=1)

    assert ["zero", "zero", "kept", "lost"] == re.findall('rect class="([a-z]+)"', drawn)


def test_a_limit_lies_where_its_value_is():
    """At the end where nothing is cut off; two octaves earlier for a quarter."""
    ends = [
        float(re.search('class="limit" x1="([0-9.]+)"', histogram(limit, o0=1))[1])
        for limit in (16.0, 4.0)
    ]
    octave = (312 - 38) / (BINS + 1) * PER_OCTAVE

    assert 312 == ends[0]
    assert abs(ends[0] - ends[1] - 2 * octave) < 0.1


def test_a_limit_of_nothing_or_of_more_than_all_is_drawn():
    """A constant zero by hand has no limit; a wide range ends at the edge."""
    assert 'class="limit"' not in histogram(0.0, o0=1)
    assert 'class="limit" x1="312"' in histogram(1e9, o0=1)


def test_a_histogram_is_told_in_words():
    """The largest value, the limit, and the share beyond."""
    title = "largest 16, limit 4, 25.00 % beyond it"

    assert title in histogram(4.0, o0=1, o3=3)
    assert "limit 16, nothing beyond it" in histogram(16.0, o0=1)


def point(share, value, **more):
    fields = {"passed": False, "best": False, "chosen": False, **more}
    return FrontierPoint(f"at {share}", share, value, **fields)


def test_a_frontier_joins_its_best_and_rings_the_chosen():
    """What failed is hollow; each point says what it is."""
    points = (
        point(1.0, 14.6, best=True),
        point(1.0, 13.0),
        point(0.9, 22.0, best=True, passed=True, chosen=True),
    )
    drawn = draw(FrontierPlot("sqnr_db", "dB", points))

    assert ["failed", "failed", "chosen", "passed"] == re.findall('circle class="([a-z]+)"', drawn)
    assert 1 == drawn.count('class="joined"')
    assert "3 candidates; chosen: 22.00 dB with 90.00 % in INT8" in drawn
    assert "<title>at 0.9: 22.00 dB with 90.00 % in INT8</title>" in drawn
    assert "110 %" not in drawn


def test_equal_points_are_drawn_too():
    """An axis has a length, even if all lies in one place."""
    drawn = draw(FrontierPlot("top1", "share", (point(1.0, 0.0), point(1.0, 0.0))))

    assert "nan" not in drawn
    assert 2 == drawn.count("<circle")
    assert ["90 %", "95 %", "100 %"] == re.findall(r">(\d+ %)<", drawn)[-3:]
