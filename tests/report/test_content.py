"""What the top of a report says, and that it says the same of the same."""

from __future__ import annotations

import pytest

from tests.helpers.records import (
    MEASURES,
    VERDICTS,
    comparison,
    failed,
    failing_gate,
    fallback,
    good,
    outcomes,
    seeded,
    target,
    words,
)
from trtbuild.core.records import Measure, UnbuiltTarget
from trtbuild.report.blocks import KeyFigures, Paragraph
from trtbuild.report.content import make_page


def said(record):
    """The first sentence of a page."""
    first = make_page(record).lead[0]
    assert isinstance(first, Paragraph)
    return words(first.spans)


def figures(record):
    """The figures at the top: label → (value, tone)."""
    (found,) = [block for block in make_page(record).lead if isinstance(block, KeyFigures)]
    return {each.label: (each.value, each.tone) for each in found.items}


@pytest.mark.parametrize(
    ("expected", "record"),
    [
        ("Every gate passed", good),
        ("A gate failed: top1 drop ≤ 0.5 points (output logits): drop 2.23 points.", failing_gate),
        ("The run failed at quantize.", failed),
        (
            "Nothing was compared: the recipe has no compare section.",
            lambda: good(comparison=None),
        ),
        (
            "No gate was asked for: whether these figures are good is the reader's to say.",
            lambda: good(comparison=comparison(verdicts=())),
        ),
    ],
)
def test_the_first_sentence_is_the_verdict(expected, record):
    """What failed comes before what passed."""
    assert expected == said(record())


def test_more_failed_gates_are_counted():
    """The first is named."""
    lost = tuple(each.model_copy(update={"passed": False}) for each in VERDICTS)

    assert said(good(comparison=comparison(verdicts=lost))).endswith(", and 1 more.")


def test_figures_say_how_much_of_what_was_asked_there_is():
    """A gate that failed is bad, INT8 that fell short and an engine that is missing a warning."""
    missing = UnbuiltTarget(target="h", backend="tensorrt11", status="deferred", reason="no GPU")
    found = figures(good(unbuilt=(missing,), targets=fallback().targets))

    assert ("2 of 2", "good") == found["Gates passed"]
    assert ("1 of 2", "warn") == found["Engines built"]
    assert ("1 of 3", "warn") == found["INT8 layers delivered"]
    assert ("1 of 2", "bad") == figures(failing_gate())["Gates passed"]


def test_the_two_most_telling_metrics_are_shown():
    """Accuracy before agreement before noise."""
    assert {"top1", "top1_agreement"} < set(figures(good()))
    without = comparison(measures=MEASURES[:3])
    assert {"sqnr_db", "cosine"} < set(figures(good(comparison=without)))


def test_of_several_outputs_the_worst_is_shown():
    """One whose value is not known is worse than any, and bad."""
    fine = Measure(metric="cosine", output="a", value=0.9)
    same = Measure(metric="cosine", output="b", value=None, identical=True)
    lost = Measure(metric="cosine", output="c", value=None, remark="NaN")
    apart = Measure(metric="cosine", output="d", value=0.1, applies=False)

    def shown(*measures):
        return figures(good(comparison=comparison(measures=measures)))["cosine"]

    assert ("0.9", "plain") == shown(fine, same, apart)
    assert ("–", "bad") == shown(fine, lost)
    assert ("identical", "plain") == shown(same)


def test_equal_results_give_equal_pages():
    """Whether a step ran or was reused, and how long it all took, is not in them."""
    reused = outcomes(quantize={"status": "reused"}, calibrate={"status": "reused"})

    assert make_page(good()) == make_page(good(seconds=99.0, outcomes=outcomes()))
    assert make_page(good()).lead == make_page(good(outcomes=reused)).lead


def test_caveats_are_gathered_from_wherever_they_stand():
    """Each once: of the record, the comparison and the engines."""
    record = good(
        caveats=("random data",),
        comparison=comparison(caveats=("seeded weights",)),
        targets=(target(caveats=("seeded weights", "an old engine")),),
    )

    assert ("random data", "seeded weights", "an old engine") == make_page(record).caveats
    assert ("seeded weights",) == make_page(seeded()).caveats
