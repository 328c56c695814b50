"""Measures: what a drop is, and the interval of a confidence."""

from __future__ import annotations

import pytest

from trtbuild.core.comparison import Interval, Measure

USUAL = Interval(confidence=0.95, method="score", value=(0.1, 0.2))
SURER = Interval(confidence=0.99, method="score", value=(0.0, 0.3))


@pytest.mark.parametrize(("better", "drop"), [("high", 0.25), ("low", -0.25)])
def test_a_drop_is_by_how_much_it_got_worse(better, drop):
    """Of an error rate, worse is more."""
    measure = Measure(metric="m", output="", value=0.5, reference=0.75, better=better)

    assert drop == measure.drop


def test_without_both_sides_there_is_no_drop():
    """Nor is there one of a value that could not be computed."""
    assert Measure(metric="m", output="", value=0.5).drop is None
    assert Measure(metric="m", output="", value=None, reference=0.5).drop is None


def test_an_interval_is_found_by_its_confidence():
    """Or not at all."""
    measure = Measure(metric="m", output="", value=0.15, intervals=(USUAL, SURER))

    assert USUAL == measure.find_interval(0.95)
    assert SURER == measure.find_interval(0.99)
    assert measure.find_interval(0.9) is None
