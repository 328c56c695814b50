"""Even choices."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trtbuild.core.errors import MissingFile
from trtbuild.data.base import Choice, _list_part, spread_evenly


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


def chosen(total, **options):
    return list(Choice(**options).choose(total, where="photos", unit="picture"))


def test_a_fraction_is_a_count_of_what_there_is():
    """Rounded, and one at least."""
    assert [0, 2] == chosen(4, fraction=0.5)
    assert [0] == chosen(4, fraction=0.01)


def test_a_seed_draws_which_are_taken():
    """They keep their order; another seed draws others, and the same the same."""
    drawn = chosen(100, count=5, shuffle=1)

    assert 5 == len(set(drawn))
    assert drawn == sorted(drawn) == chosen(100, fraction=0.05, shuffle=1)
    assert drawn not in (chosen(100, count=5), chosen(100, count=5, shuffle=2))
    assert [1, 16, 32, 35, 47] == drawn


@given(st.integers(1, 60), st.integers(1, 5))
def test_parts_share_no_sample_and_leave_none_out(total, parts):
    """And are of one size, but for one."""
    found = [_list_part(number, parts, total) for number in range(1, parts + 1)]

    assert sorted(itertools.chain(*found)) == list(range(total))
    assert sorted(map(len, found), reverse=True) == list(map(len, found))
    assert len(found[0]) - len(found[-1]) <= 1
    assert all(each == sorted(each) for each in found)


def test_a_part_is_chosen_from():
    """Each has its share of what lies sorted, and of what takes turns."""
    half = chosen(100, part="1/2")

    assert 25 == sum(index < 50 for index in half)
    assert 10 < sum(index % 2 for index in half) < 40
    assert [half[0], half[10], half[20], half[30], half[40]] == chosen(100, part="1/2", count=5)
    assert [0, 3, 5, 6, 9] == half[:5]
    with pytest.raises(MissingFile, match="part 2/2 of photos: holds 1 picture, and"):
        chosen(3, part="2/2", count=2)


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "1/2/3", "a/b"])
def test_parts_that_there_are_not_are_refused(part):
    """They are numbered from 1."""
    with pytest.raises(ValidationError, match=r"numbered from 1|pattern"):
        Choice(part=part)


@pytest.mark.parametrize("options", [{"count": 1, "fraction": 0.5}, {"shuffle": 1}])
def test_choices_that_say_two_things_or_none_are_refused(options):
    """With what to write."""
    with pytest.raises(ValidationError, match=r"remove one|add `count`"):
        Choice(**options)
