"""Axes of a Reshape, matched by how many values they hold."""

from __future__ import annotations

import pytest

from trtbuild.fixes.regrouping import find_moved, match_groups

GROUPS = {
    "a head": ([1, 84, 80, 80], [1, 84, 6400], [([0], [0]), ([1], [1]), ([2, 3], [2])]),
    "anchors": (
        [1, 255, 80, 80],
        [1, 3, 85, 80, 80],
        [([0], [0]), ([1], [1, 2]), ([2], [3]), ([3], [4])],
    ),
    "batch and heads": ([1, 12, 5, 64], [12, 5, 64], [([0, 1], [0]), ([2], [1]), ([3], [2])]),
    "an axis more": ([2, 6], [2, 6, 1], [([0], [0]), ([1], [1, 2])]),
    "no such groups": ([2, 3], [4, 2], None),
}


@pytest.mark.parametrize("case", GROUPS)
def test_axes_are_matched_by_their_products(case):
    """The smallest groups that hold equally many values."""
    old, target, groups = GROUPS[case]

    assert groups == match_groups(old, target)


def moved(old, new, target):
    return find_moved(match_groups(old, target), old, new, target)


def test_a_size_moves_with_the_axes_it_is_made_of():
    """80 x 80 cells are 6400; a side that keeps its size goes with the other."""
    assert {2: [2, 3]} == moved([1, 84, 80, 80], [1, 84, 96, 80], [1, 84, 6400])


def test_of_several_sizes_the_one_that_is_the_axis_moves():
    """A batch of 2 and 12 heads, and then as many rows."""
    assert {0: [0]} == moved([2, 12, 5], [4, 12, 5], [2, 12, 5])


def test_an_axis_that_is_split_in_two_is_nobodys_guess():
    """6400 may become 96 x 67 as well."""
    assert moved([1, 6400], [1, 6432], [1, 80, 80]) is None
