"""The comparison on a page: how sure figures are, and what gates came to."""

from __future__ import annotations

from tests.helpers.records import good, words
from trtbuild.core.comparison import Comparison, GateVerdict, Interval, Measure
from trtbuild.report.comparison import make_comparison_section

MAP = Measure(
    metric="map50", output="", value=0.61, reference=0.64, unit="share", own=True, doubt="few",
    intervals=(
        Interval(
            confidence=0.95, method="bootstrap", value=(0.55, 0.66), reference=(0.6, 0.7),
            drop=(-0.01, 0.07),
        ),
    ),
)  # fmt: skip
FAILED = GateVerdict(
    gate="map50 drop ≤ 1 point", passed=False, value=0.03, found="drop 3.00 points",
    interval="-1.00 to 7.00 points (95 %)", missed_by="2.00 points", doubt="too few",
)  # fmt: skip


def rows_of(**changes):
    comparison = Comparison(
        reference="FP32 model", candidate="INT8 model", runner="ORT", samples=20, labelled=True,
        measures=(MAP,), verdicts=(FAILED,),
    ).model_copy(update=changes)  # fmt: skip
    section = make_comparison_section(good(comparison=comparison, engine_comparisons=()))
    return [
        dict(zip(table.head, map(words, table.rows[0]), strict=True))
        for table in section.blocks
        if hasattr(table, "rows")
    ]


def test_a_figure_stands_with_its_interval_and_its_doubt():
    """Value, reference and drop have each their own."""
    _, figure = rows_of()

    assert "whole model" == figure["Output"]
    assert "61.00 % (55.00 to 66.00 %)" == figure["Value"]
    assert "64.00 % (60.00 to 70.00 %)" == figure["FP32"]
    assert ("3.00 points (-1.00 to 7.00 points)", "few") == (figure["Drop"], figure["Remark"])


def test_a_gate_that_failed_says_by_how_much():
    """In a table."""
    gate, _ = rows_of()

    assert ("failed", "2.00 points") == (gate["Verdict"], gate["Missed by"])
    assert ("-1.00 to 7.00 points (95 %)", "too few") == (gate["Interval"], gate["Remark"])
