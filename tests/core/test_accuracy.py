"""How right each model is."""

from __future__ import annotations

from trtbuild.core.accuracy import list_accuracy
from trtbuild.core.comparison import Comparison, Interval, Measure

OTHER = Measure(metric="cosine", output="y", value=0.99)
ENDS = Interval(confidence=0.95, method="score", value=(0.85, 0.94), reference=(0.9, 0.98))
TOP1 = Measure(
    metric="top1", output="y", value=0.9, reference=0.95, unit="share", own=True, intervals=(ENDS,)
)


def compared(*measures):
    return Comparison(
        reference="FP32 model", candidate="INT8 model", runner="ONNX Runtime", samples=8,
        labelled=True, measures=measures, verdicts=(),
    )  # fmt: skip


def test_the_first_figure_that_both_sides_have_is_taken():
    """The reference's stands for the float model, the candidate's for what was made of it."""
    found = list_accuracy(compared(OTHER, TOP1), {"edge": compared(OTHER, TOP1)})

    assert [("source", 0.95), ("fp32", 0.95), ("half", 0.9), ("int8", 0.9), ("edge", 0.9)] == [
        (each.model, each.value) for each in found
    ]
    assert (0.9, 0.98) == (found[1].low, found[1].high)
    assert {"top1"} == {each.metric for each in found}


def test_without_labels_there_is_none():
    """And engines that were measured by another figure are not set beside."""
    other = TOP1.model_copy(update={"metric": "top5"})

    assert () == list_accuracy(compared(OTHER), {})
    assert () == list_accuracy(None, {})
    assert "edge" not in {e.model for e in list_accuracy(compared(TOP1), {"edge": compared(other)})}
