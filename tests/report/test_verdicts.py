"""What a difference comes to, in words."""

from __future__ import annotations

import pytest

from trtbuild.plan.difference import Change, Diff, FigureChange
from trtbuild.report.difference import render_difference
from trtbuild.report.pull_request import render_differences_markdown
from trtbuild.report.verdicts import describe_figure, describe_growth, list_samples

TOP1 = FigureChange(
    output="y",
    metric="top1",
    before=0.91123,
    after=0.9,
    verdict="worse",
    reference="FP16",
    reference_after=0.914,
    samples=280,
    paired=True,
    lost=("cat.png", "dog.png"),
)
AGREEMENT = TOP1.model_copy(update={"metric": "top1_agreement", "lost": ("dog.png",)})


def test_a_figure_is_written_as_people_write_it():
    """With what it says, and beside what it is held to, called what it is."""
    assert (
        "top1 of y",
        "91.1 %",
        "90.0 %",
        "worse; 2 lost, 0 gained of 280 samples; FP16 91.4 %",
    ) == describe_figure(TOP1)


def test_a_figure_has_its_intervals():
    """Each side as far as that is known."""
    sure = TOP1.model_copy(update={"interval_after": (0.8593, 0.9301)})

    assert ("91.1 %", "90.0 % (85.93 to 93.01 %)") == describe_figure(sure)[1:3]


def test_a_sample_is_listed_once():
    """However many figures lost it."""
    found = Diff(before="a", after="a", figures=(TOP1, AGREEMENT))

    assert ["cat.png (top1 of y)", "dog.png (top1 of y, top1_agreement of y)"] == list(
        list_samples(found, "lost")
    )


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [(2048, 3072, "+50.0 %"), (2**20, 2**20 - 12, "-12 B"), (0, 5, ""), (None, 5, "")],
)
def test_growth_is_never_minus_nothing(before, after, told):
    """A change that the sizes do not show is told in bytes."""
    change = Change(what="rtx.engine_size_bytes", before=before, after=after)

    assert told == describe_growth(change)


def test_text_and_markdown_lead_with_the_verdict_and_say_why_none_is_known():
    """A lock that is not of the recipe is passed over, which is said in the open."""
    found = Diff(
        before="a.yaml",
        after="a.yaml",
        verdict="unknown",
        recipe=(Change(what="x", before=1, after=2),),
        notes=("its lock is passed over",),
    )

    text = render_difference(found, sides="a.yaml")
    assert text.startswith("a.yaml: results not known\n")
    markdown = render_differences_markdown([found])
    assert "### a.yaml: results not known\n\n- its lock is passed over\n" in markdown
    assert "Notes" not in markdown
    judged = found.model_copy(
        update={
            "verdict": "worse",
            "figures": (TOP1,),
            "measures": (Change(what="y.top1", before=0.91123, after=0.9),),
        }
    )
    assert "  Accuracy:\n    top1 of y: 91.1 % → 90.0 %, worse; 2 lost" in render_difference(
        judged, sides="a.yaml"
    )
    assert "<summary>Notes (1)" in render_differences_markdown([judged])
