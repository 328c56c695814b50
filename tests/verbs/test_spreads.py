"""Whose values a report shows."""

from __future__ import annotations

from tests.helpers.records import counts, sensitivity
from trtbuild.core.histograms import Histograms
from trtbuild.core.values import Range
from trtbuild.verbs.spreads import MOST, pick_histograms


def limit(value):
    return Range(low=-value, high=value, origin="calibrated")


def test_what_the_worst_layers_read_comes_first():
    """In their order; a tensor without a range or a histogram has nothing to show."""
    names = ("other", "/conv1/Relu_output_0", "input")
    found = Histograms(tensors=dict.fromkeys(names, counts()))
    ranges = dict.fromkeys(names, limit(6.35))

    assert ["input", "/conv1/Relu_output_0"] == list(pick_histograms(found, ranges, sensitivity()))
    assert [] == list(pick_histograms(None, ranges, sensitivity()))
    assert [] == list(pick_histograms(found, {}, None))


def test_without_layers_the_tensors_that_lose_most_are_shown():
    """Those whose limit cuts off most, and no more than a dozen."""
    found = Histograms(tensors={f"t{place:02}": counts() for place in range(20)})
    ranges = {f"t{place:02}": limit(0.1 + place / 10) for place in range(20)}
    picked = list(pick_histograms(found, ranges, None))

    assert (MOST, "t00") == (len(picked), picked[0])
