"""Even choices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.core.errors import MissingFile
from trtbuild.data.base import spread_evenly


def test_a_choice_is_spread_evenly():
    """Four of ten are 0, 2, 5, 7; all of them without a count."""
    assert [0, 2, 5, 7] == spread_evenly(10, 4, where="x", unit="picture")
    assert [0, 1, 2] == list(spread_evenly(3, None, where="x", unit="picture"))


@given(total=st.integers(1, 200), data=st.data())
def test_a_choice_is_so_many_different_items_in_order(total, data):
    """Every choice has exactly `count` different items, sorted, beginning with the first."""
    count = data.draw(st.integers(1, total))
    chosen = spread_evenly(total, count, where="x", unit="picture")

    assert sorted(set(chosen)) == chosen
    assert (count, 0) == (len(chosen), chosen[0])
    assert chosen[-1] < total


@pytest.mark.parametrize(
    ("total", "count", "message"),
    [
        (0, None, "photos: holds no pictures"),
        (0, 3, "photos: holds no pictures"),
        (1, 3, "photos: holds 1 picture, and `count` asks for 3"),
        (2, 3, "photos: holds 2 pictures, and `count` asks for 3"),
    ],
)
def test_a_choice_of_too_few_is_an_error(total, count, message):
    """What is there and what was asked for stand in the message."""
    with pytest.raises(MissingFile) as caught:
        spread_evenly(total, count, where="photos", unit="picture")

    assert message == caught.value.message
