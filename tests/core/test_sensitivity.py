"""What INT8 costs layer by layer, as values."""

from __future__ import annotations

from trtbuild.core.records import Measure
from trtbuild.core.sensitivity import find_lowest


def test_the_worst_output_counts():
    """The least signal over noise; other metrics, and outputs without any, do not count."""
    measures = (
        Measure(metric="sqnr_db", output="a", value=30.0),
        Measure(metric="sqnr_db", output="b", value=12.0),
        Measure(metric="cosine", output="a", value=0.5),
        Measure(metric="sqnr_db", output="c", value=None, identical=True),
    )

    assert 12.0 == find_lowest(measures)
    assert None is find_lowest(measures[2:])
