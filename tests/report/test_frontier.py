"""What a search found, on a page."""

from __future__ import annotations

from tests.helpers.records import costly, good, tuning, words
from trtbuild.report.blocks import Fold, PlotRow, TableBlock
from trtbuild.report.frontier import make_frontier_section

SURE = "(-0.41 to 4.32 points)"


def blocks_of(record, kind):
    return [block for block in make_frontier_section(record).blocks if isinstance(block, kind)]


def test_the_frontier_is_a_table_with_the_most_int8_first():
    """What was tried and is no better is only in the plot; what could not be built, nowhere."""
    (table,) = blocks_of(costly(), TableBlock)

    assert [
        [
            "the recipe as it was",
            "100.00 %",
            "1.0 MiB",
            "fail",
            f"2.23 points {SURE}",
        ],
        ["/conv1/Conv in float", "98.10 %", "1.2 MiB", "fail", f"0.9 points {SURE}"],
        [
            "/conv1/Conv, /layer1/conv/Conv in float chosen",
            "94.30 %",
            "1.3 MiB",
            "pass",
            f"0.14 points {SURE}",
        ],
    ] == [list(map(words, row)) for row in table.rows]


def test_the_plot_has_every_candidate():
    """The chosen one marked."""
    (figures,) = blocks_of(costly(), PlotRow)
    points = figures.items[0].plot.points

    assert [False, False, False, True] == [each.chosen for each in points]
    assert [14.6, 14.1, 18.9, 22.4] == [each.value for each in points]


def test_a_point_says_what_is_changed_and_no_more_than_fits():
    """A name without end, said at each of a thousand points, would make a page of megabytes."""
    start, step = tuning().trials[:2]
    long = step.model_copy(update={"floats": ("a" * 3000,)})
    found = tuning().model_copy(update={"trials": (start, step, long)})
    (figures,) = blocks_of(costly().model_copy(update={"tuning": found}), PlotRow)
    first, plain, last = (each.name for each in figures.items[0].plot.points)

    assert ("the recipe as it was", "calibrator mse") == (first, plain)
    assert last.endswith("aaa...")
    assert len(last) < 500


def test_the_first_sentence_says_what_came_of_it():
    """And the patch is there to be read."""
    first, *_ = make_frontier_section(costly()).blocks
    patch, *_ = blocks_of(costly(), Fold)

    assert (
        "The last trtbuild tune built 5 recipes; the best of them passes on eval: "
        "top1 drop 0.14 points, -0.41 to 4.32 points (before: top1 drop 2.23 points, -0.41 to "
        "4.32 points)."
    ) == words(first.spans)
    assert "+  skip: [/conv1/Conv, /layer1/conv/Conv]" in patch.blocks[0].text


def test_one_point_is_no_frontier():
    """Nor is there a section where nothing was tuned."""
    alone = tuning().model_copy(update={"trials": tuning().trials[:1], "best": 0})

    assert [] == blocks_of(good(tuning=alone), PlotRow)
    assert make_frontier_section(good()) is None
