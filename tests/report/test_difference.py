"""Differences as text, and as Markdown for a pull request."""

from __future__ import annotations

import pytest

from trtbuild.plan.difference import Change, Diff
from trtbuild.plan.range_diff import MovedRange, RangeDiff
from trtbuild.report.difference import (
    render_difference,
    render_difference_markdown,
    render_differences,
    render_differences_markdown,
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
    assert """a.yaml
  Accuracy:
    y.cosine: 0.999123 → 0.9
  Engines:
    rtx.engine_size_bytes: 2.0 KiB → 3.0 KiB (+50.0 %)
  Recipe:
    quantization.calibrator.percentile: 99.9 → 99.99
    quantization.ranges.x: 1 → 2 (1.00 bits lost)
    compare: nothing → eval""" == render_difference(MOVED, sides="a.yaml")


def test_in_markdown_the_first_section_is_open():
    """And the head counts what there is; where nothing differs, notes stay folded."""
    text = render_difference_markdown(MOVED, sides="a.yaml")
    noted = render_difference_markdown(SAME.model_copy(update={"notes": ("x",)}), sides="a")

    assert text.startswith("**a.yaml**: accuracy (1), engines (1), recipe (3)\n")
    assert 1 == text.count("<details open><summary>Accuracy</summary>")
    assert 2 == text.count("<details><summary>")
    assert noted.startswith("**a**: the same\n")
    assert "<details open>" not in noted


@pytest.mark.parametrize(("side", "words"), [("before", "is gone"), ("after", "is new")])
def test_a_recipe_on_one_side_alone_came_or_went(side, words):
    """Nothing else is said of it."""
    found = MOVED.model_copy(update={"only": side})

    assert f"a.yaml: {words}" == render_difference(found, sides="a.yaml")
    assert f"**a.yaml** {words}\n" == render_difference_markdown(found, sides="a.yaml")


def test_after_twenty_ranges_the_rest_is_counted():
    """The worst come first, so the rest matters less."""
    text = render_difference(ranges(22), sides="a → b")

    assert 20 == text.count("limit 1 → 0.5 (1.00 bits gained)")
    assert "and 2 more; 7 the same" in text


@pytest.mark.parametrize("render", [render_differences, render_differences_markdown])
def test_what_is_the_same_takes_one_line_in_all(render):
    """One recipe by its name, several by their number, and none is said to be none."""
    two = [SAME, SAME.model_copy(update={"before": "b", "after": "b"})]

    assert "a.yaml: the same" == render([SAME])
    assert "2 recipes mean the same as before" == render(two)
    assert "no recipe is in either revision" == render([])
    assert render([MOVED, SAME]).endswith("1 recipe means the same as before")


def test_a_recipe_that_was_renamed_shows_both_names():
    """Though it means the same."""
    assert "a → b: the same" == render_differences([Diff(before="a", after="b")])


def test_names_are_no_markup():
    """Of a tensor or a file: shown, not obeyed."""
    odd = Diff(before="a", after="a", tools=(Change(what="<b>*x*|`y`", before="1", after="2"),))

    text = render_difference_markdown(odd, sides="[a](b)")

    assert "&#60;b&#62;\\*x\\*\\|\\`y\\`: 1 → 2" in text
    assert r"**\[a\](b)**" in text
