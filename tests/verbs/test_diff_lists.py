"""Lists of a recipe, compared as sets."""

from __future__ import annotations

import pytest

from trtbuild.plan.difference import ListChange
from trtbuild.verbs.diff_lists import compare_lists

SKIP = {"q.skip[0]": "a", "q.skip[1]": "b", "q.skip[2]": "c"}
GATES = {
    "gates[0].metric": "top1",
    "gates[0].at_least": 0.9,
    "gates[1].metric": "cosine",
    "gates[1].at_least": 0.5,
}
SHAPE = {"profiles[0].x.min[0]": 1, "profiles[0].x.min[1]": 3}


@pytest.mark.parametrize(
    ("expected", "before", "after"),
    [
        ([], SKIP, SKIP),
        (
            [ListChange(what="q.skip", removed=("a",))],
            SKIP,
            {"q.skip[0]": "b", "q.skip[1]": "c"},
        ),
        (
            [ListChange(what="q.skip", reordered=True)],
            SKIP,
            {"q.skip[0]": "b", "q.skip[1]": "a", "q.skip[2]": "c"},
        ),
        ([ListChange(what="q.skip", added=("a", "b", "c"))], {}, SKIP),
        (
            [ListChange(what="gates: top1.at_least", removed=("90 %",), added=("95 %",))],
            GATES,
            {**GATES, "gates[0].at_least": 0.95},
        ),
        (
            [ListChange(what="gates", removed=("top1 (at_least 90 %)",))],
            GATES,
            {"gates[0].metric": "cosine", "gates[0].at_least": 0.5},
        ),
        (
            [ListChange(what="profiles: 1.x.min", removed=("[1, 3]",), added=("[2, 3]",))],
            SHAPE,
            {**SHAPE, "profiles[0].x.min[0]": 2},
        ),
        (
            [ListChange(what="fixes", added=("b (at 1)", "b (at 2)"))],
            {"fixes[0].kind": "a"},
            {
                "fixes[0].kind": "b",
                "fixes[0].at": 1,
                "fixes[1].kind": "a",
                "fixes[2].kind": "b",
                "fixes[2].at": 2,
            },
        ),
    ],
)
def test_lists_are_compared_as_sets(expected, before, after):
    """Numbers are places, and an item with a name is that item wherever it stands."""
    assert expected == list(compare_lists(before, after))


def test_options_are_told_in_one_order_whatever_order_they_came_in():
    """A lock has them sorted, a recipe as they were written; what is empty is not told."""
    came = {"metrics[0].kind": "python", "metrics[0].b": 1, "metrics[0].a": 2, "metrics[0].c": ""}

    assert [ListChange(what="metrics", added=("python (a 2, b 1)",))] == list(
        compare_lists({}, came)
    )
