"""Edits of words that one can count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.measure.sequences import collapse, count_edits, split_words

WORDS = st.text("abc", max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("ab", "ba", 2)],
)
def test_edits_are_the_fewest(one, other, edits):
    """Substitute k and e, insert g."""
    assert edits == count_edits(one, other)


@given(WORDS, WORDS, WORDS)
def test_edits_are_a_distance(one, other, third):
    """The same both ways, 0 for equal words alone, and no way round is shorter."""
    edits = count_edits(one, other)

    assert edits == count_edits(other, one)
    assert (edits == 0) == (one == other)
    assert edits <= count_edits(one, third) + count_edits(third, other)
    assert abs(len(one) - len(other)) <= edits <= max(len(one), len(other))


def test_repeats_count_once_unless_a_blank_parts_them():
    """aa_ab, with _ for the blank, says aab."""
    assert [1, 1, 2] == collapse(np.array([1, 1, 0, 1, 2]), blank=0).tolist()
    assert [] == collapse(np.array([], np.int64), blank=0).tolist()


def test_words_are_between_separators():
    """However many of them stand together."""
    assert [(1, 2), (3,)] == split_words([0, 1, 2, 0, 0, 3], separator=0)
