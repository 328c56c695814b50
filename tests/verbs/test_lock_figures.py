"""What a lock keeps of figures."""

from __future__ import annotations

from trtbuild.core.comparison import Comparison, GateVerdict, Interval, Measure
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


def test_a_gate_that_failed_says_by_how_much():
    """What was found may lie within the limit, where the gate asks to be sure."""
    verdict = GateVerdict(
        gate="top1 drop ≤ 5 points, 95 % sure", passed=False, value=0.8, output="y",
        found="drop 3.75 points", missed_by="5.45 points",
    )  # fmt: skip
    found = lock_figures(
        Comparison(
            reference="FP32 model", candidate="INT8 model", runner="ORT", samples=20, labelled=True,
            measures=(), verdicts=(verdict,),
        ),
        [],
    )  # fmt: skip

    (gate,) = found["gates"].values()
    assert "drop 3.75 points, missed by 5.45 points" == gate.told
