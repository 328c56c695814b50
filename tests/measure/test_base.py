"""What kinds of metric have in common."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.measuring import metric_of
from trtbuild.measure.base import RESAMPLES, MetricKind


def test_a_kind_reads_no_files_and_resamples_as_usual_unless_it_says_otherwise():
    """Labels of the data come with it; NumPy sums."""
    metric = metric_of(kind="classification")

    assert isinstance(metric, MetricKind)
    assert {} == metric.find_files(Path())
    assert RESAMPLES == metric.count_resamples()
    assert ("numpy",) == metric.fact_names()
