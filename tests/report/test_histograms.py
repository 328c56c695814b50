"""The section that draws values and their limits."""

from __future__ import annotations

from tests.helpers.records import costly, counts, good, words
from trtbuild.core.values import Range
from trtbuild.report.blocks import Fold, PlotRow
from trtbuild.report.histograms import make_histograms_section

WIDE = Range(low=-22.1, high=22.1, origin="calibrated", clipped=0.0)


def test_each_tensor_is_told_with_its_limit():
    """And with what it alone loses."""
    (figures,) = make_histograms_section(costly()).blocks

    assert isinstance(figures, PlotRow)
    assert "input limit 6.35, largest 22.1, 0.74 % beyond; about 17 dB by itself" == (
        words(figures.items[0].caption)
    )
    assert "what the costliest layers read" in figures.summary


def test_more_than_a_few_are_folded_away():
    """Six are seen at once."""
    names = [f"t{index}" for index in range(8)]
    record = good(histograms=dict.fromkeys(names, counts()), ranges=dict.fromkeys(names, WIDE))
    first, rest = make_histograms_section(record).blocks

    assert isinstance(rest, Fold)
    assert (6, "2 more") == (len(first.items), rest.summary)


def test_without_histograms_there_is_no_section():
    """Nor for a tensor that has no range."""
    assert make_histograms_section(good()) is None
    assert make_histograms_section(good(histograms={"none": counts()})) is None
