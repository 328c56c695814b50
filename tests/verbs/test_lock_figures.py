"""What a lock keeps of figures."""

from __future__ import annotations

from trtbuild.core.comparison import Comparison, Interval, Measure
from trtbuild.verbs.lock_figures import lock_figures


def test_intervals_and_what_figures_are_go_into_the_lock():
    """Of parts that nobody asked for, nothing does."""
    sure = (Interval(confidence=0.95, method="bootstrap", value=(0.5, 0.7)),)
    measures = (
        Measure(metric="map50", output="", value=0.6, unit="share", intervals=sure),
        Measure(metric="cosine", output="y", value=0.9, intervals=sure),
        Measure(metric="cosine", output="y[:, 4:]", value=0.1, part_of="y"),
    )
    found = lock_figures(
        Comparison(
            reference="FP32 model", candidate="INT8 model", runner="ORT", samples=20, labelled=True,
            measures=measures, verdicts=(),
        ),
        [],
    )  # fmt: skip

    assert {"map50": (0.5, 0.7), "y.cosine": (0.5, 0.7)} == found["intervals"]
    assert {"map50": 0.6, "y.cosine": 0.9} == found["measures"]
    assert {"map50": "share high"} == found["figures"]
