"""Differences as text."""

from __future__ import annotations

import pytest

from trtbuild.plan.difference import Change, Diff, GateChange, ListChange
from trtbuild.plan.range_diff import MovedRange, RangeDiff
from trtbuild.report.difference import (
    render_difference,
    render_differences,
)

SAME = Diff(before="a.yaml", after="a.yaml")
MOVED = Diff(
    before="a.yaml",
    after="a.yaml",
    measures=(Change(what="y.cosine", before=0.99912345, after=0.9),),
    targets=(Change(what="rtx.engine_size_bytes", before=2048, after=3072),),
    recipe=(
        Change(what="quantization.calibrator.percentile", before=99.9, after=99.99),
        Change(what="quantization.ranges.x", before=1.0, after=2.0, bits=1.0),
        Change(what="compare", before=None, after="eval"),
    ),
)


def ranges(count):
    moved = tuple(
        MovedRange(tensor=f"t{index}", before=1.0, after=0.5, ratio=0.5, bits_lost=-1.0)
        for index in range(count)
    )
    return Diff(before="a", after="b", ranges=RangeDiff(moved=moved, same=7, tolerance=0.0))


def test_a_difference_is_a_line_a_fact():
    """Sections that say nothing are left out; accuracy leads."""
    assert """a.yaml: results the same
  Accuracy:
    y.cosine: 0.999123 → 0.9
  Engines:
    rtx.engine_size_bytes: 2.0 KiB → 3.0 KiB (+50.0 %)
  Recipe:
    quantization.calibrator.percentile: 99.9 → 99.99
    quantization.ranges.x: 1 → 2 (1.00 bits lost)
    compare: nothing → eval""" == render_difference(MOVED, sides="a.yaml")


@pytest.mark.parametrize(("side", "words"), [("before", "gone"), ("after", "new")])
def test_a_recipe_on_one_side_alone_is_summed_up(side, words):
    """With the gates that its lock says did not pass."""
    found = SAME.model_copy(update={"only": side, "summary": ("model: onnx m.onnx",)})

    assert f"a.yaml: {words}\n  In short:\n    model: onnx m.onnx" == render_difference(
        found, sides="a.yaml"
    )


def test_gates_come_first_and_lists_are_sets():
    """What fails is what is looked for; an item that only moved down is no news."""
    found = SAME.model_copy(
        update={
            "gates": (GateChange(gate="y: top1 ≥ 90 %", before=True, after=False, told="89 %"),),
            "recipe": (Change(what="skip[0]", before="a", after="b"),),
            "lists": (
                ListChange(what="skip", removed=("a",), added=("c", "d")),
                ListChange(what="fixes", reordered=True),
            ),
        }
    )

    assert """a.yaml: results the same
  Gates:
    failed: y: top1 ≥ 90 %: 89 % (before: passes)
  Recipe:
    skip: added c, added d, removed a
    fixes: the same in another order""" == render_difference(found, sides="a.yaml")


def test_after_twenty_ranges_the_rest_is_counted():
    """The worst come first, so the rest matters less."""
    text = render_difference(ranges(22), sides="a → b")

    assert 20 == text.count("limit 1 → 0.5 (1.00 bits gained)")
    assert "and 2 more; 7 the same" in text


def test_what_is_the_same_takes_one_line_in_all():
    """One recipe by its name, several by their number, and none is said to be none."""
    two = [SAME, SAME.model_copy(update={"before": "b", "after": "b"})]

    assert "a.yaml: the same" == render_differences([SAME])
    assert "2 recipes mean the same as before" == render_differences(two)
    assert "no recipe is in either revision" == render_differences([])
    assert render_differences([MOVED, SAME]).endswith("1 recipe means the same as before")


def test_a_recipe_that_was_renamed_shows_both_names():
    """Though it means the same."""
    assert "a → b: the same" == render_differences([Diff(before="a", after="b")])
