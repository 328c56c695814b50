"""Sums over resamples that can be redone by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.measure.base import Figure, Value
from trtbuild.measure.draws import sum_draws, take_only_draw, take_ratio

FIGURES = (Figure("a", "a"), Figure("b", "b"))


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_draw_sums_each_sample_as_often_as_it_comes(dtype, draws):
    """Samples of 1, 10, 100, ...: the sum says which came how often. Draws are of equal length."""
    length = min(map(len, draws))
    rows = np.array([[1], [10], [100], [1000], [10000]], dtype)
    found = sum_draws(rows, np.array([draw[:length] for draw in draws]))

    assert [[sum(10**each for each in draw[:length])] for draw in draws] == found.tolist()


def test_a_share_of_nothing_is_no_number():
    """0 of 0."""
    assert np.isnan(take_ratio(np.array([0.0]), np.array([0.0])))[0]
    assert 0.5 == take_ratio(np.array([1.0]), np.array([2.0]))[0]


def test_what_was_not_drawn_lacks_labels_and_nan_is_no_value():
    """Each figure has its answer, or why there is none."""
    found = take_only_draw(
        FIGURES, {"a": (np.array([np.nan]), None)}, {"a": "of nothing"}, without="no labels"
    )

    assert {
        "a": Value(None, remark="of nothing"),
        "b": Value(None, remark="no labels", applies=False),
    } == found
