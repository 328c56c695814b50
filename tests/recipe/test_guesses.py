"""What is proposed is what the schema takes."""

from __future__ import annotations

from tests.helpers.spoilt import TREE, list_places, problems_of, put
from trtbuild.recipe.guesses import guess_value, write_flow
from trtbuild.recipe.hints import find_proposal


def test_what_a_hint_says_to_write_is_taken():
    """Wherever a hint names a value: with it, nothing is wrong with the type of the value.

    Every other value at a place, and the rest at the next, which is mostly of its sort.
    """
    written = ("1x3x64x64", "sm_86", "a.npz", "8", "1_000", "97%", 64, 2.5, ["a"], [0.5], True)
    proposals = [
        (spoilt, problem, proposed)
        for index, at in enumerate(list_places(TREE))
        for value in written[index % 2 :: 2]
        for spoilt in [put(TREE, at, value)]
        for problem in problems_of(spoilt)
        if problem.path[: len(at)] == at
        if (proposed := find_proposal(problem.hint)) is not None
    ]

    assert 100 < len(proposals)
    assert [] == [
        (problem.path, problem.message, problem.hint)
        for spoilt, problem, proposed in proposals
        for left in problems_of(put(spoilt, problem.path, proposed))
        if left.path == problem.path and " must be " in left.message
    ]


def test_what_is_not_taken_is_not_proposed():
    """Neither a word for a shape, nor two numbers for three, nor anything for a mapping."""
    assert None is guess_value("wide", tuple[int | str, ...])
    assert None is guess_value("1x2", tuple[int, int, int])
    assert None is guess_value({"a": 1}, tuple[int, ...])


def test_a_proposal_reads_back_as_itself():
    """Words that YAML takes for something else stand in quotes."""
    assert '{path: a/b.pth, c: [1, "2", "x: y", "true"]}' == write_flow(
        {"path": "a/b.pth", "c": [1, "2", "x: y", "true"]}
    )
