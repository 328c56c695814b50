from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.auto import Auto
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.limit_search import LimitChoice
from trtbuild.calib.minmax import Minmax
from trtbuild.calib.percentile import Percentile
from trtbuild.calib.ranges import ranges_from_histograms, remark_on_histograms


def histogram_of(values):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return histogram


def ranges_of(seen, calibrator):
    return ranges_from_histograms(seen, dict.fromkeys(seen, calibrator), samples=3)


def test_the_range_is_what_was_seen_clipped_to_the_limit():
    """The side that is clipped ends at the limit, the other where the values end."""
    seen = {"a": histogram_of([-1, *range(1000)])}

    found = ranges_of(seen, Percentile(kind="percentile", percentile=90.0))

    one = found.tensors["a"]
    assert -1 == one.low
    assert 899 <= one.high < 900
    assert (one.high, "calibrated", "percentile") == (one.limit, one.origin, one.calibrator)
    assert ((-1, 999), 3) == (one.observed, found.samples)
    assert 0.1 == pytest.approx(one.clipped, abs=0.002)


def test_bounds_are_float32():
    """The table holds what an engine can hold."""
    found = ranges_of({"a": histogram_of([0.1, 0.3])}, Minmax(kind="minmax"))

    one = found.tensors["a"]
    assert [one.low, one.high] == [float(np.float32(0.1)), float(np.float32(0.3))]


def test_names_are_sorted_and_what_was_not_reached_is_left_out():
    """A tensor without a value has no range, and a remark."""
    seen = {"b": histogram_of([1, 2]), "a": histogram_of([1, 2]), "never": histogram_of([])}

    assert ["a", "b"] == list(ranges_of(seen, Minmax(kind="minmax")).tensors)


def test_what_tells_nothing_is_remarked():
    """All zero, constant and never reached are listed, the rest is not."""
    seen = {
        "never": histogram_of([]),
        "zero": histogram_of([0, 0]),
        "same": histogram_of([2.5, 2.5]),
        "fine": histogram_of([1, 2]),
    }

    assert [
        "never: never reached by the calibration data; it has no range",
        "same: constant over the calibration data (2.5)",
        "zero: all zero over the calibration data",
    ] == list(remark_on_histograms(seen))


def test_the_winner_of_auto_is_recorded():
    """The table says which kind's limit a tensor got."""
    found = ranges_of({"a": histogram_of(range(128))}, Auto(kind="auto"))

    assert "auto: minmax" == found.tensors["a"].calibrator


def test_what_was_judged_best_is_what_auto_takes():
    """Its limit and its name, in place of what the histogram would decide."""
    seen = {"a": histogram_of(range(128))}
    auto = {"a": Auto(kind="auto")}
    judged = {"a": LimitChoice("mse+power", 100.0)}
    found = ranges_from_histograms(seen, auto, samples=1, judged=judged).tensors["a"]

    assert ("auto: mse+power", 100.0) == (found.calibrator, found.high)


def test_the_options_of_a_calibrator_are_recorded():
    """Of each tensor its own: with overrides nobody could tell otherwise which had which."""
    seen = {"a": histogram_of(range(128)), "b": histogram_of(range(128))}
    calibrators = {
        "a": Percentile(kind="percentile", percentile=99.9),
        "b": Percentile(kind="percentile"),
    }

    found = ranges_from_histograms(seen, calibrators, samples=1).tensors

    assert ["percentile (percentile: 99.9)", "percentile (percentile: 99.99)"] == [
        found[name].found_by for name in "ab"
    ]
    assert {"percentile": 99.9} == found["a"].calibrator_options
    assert "" == found["a"].replace(-1, 1, "manual").found_by
