from __future__ import annotations

import math

import pytest

from trtbuild.calib.judge import Errors
from trtbuild.calib.limit_search import Choice, search_limits


class Toy:
    """Errs on each sample by how far, in octaves, each limit is from a best one."""

    def __init__(self, best, runs=8):
        self.best, self.runs, self.asked = best, runs, []

    def __call__(self, limits, start=0, step=1):
        self.asked.append(dict(limits))
        off = sum(math.log2(limits[name] / best) ** 2 for name, best in self.best.items())
        return Errors((tuple(1e-3 + off for _ in range(start, self.runs, step)),))


def search(limits, toy, basis=("one", "four")):
    return search_limits(limits, toy, basis=basis)


def tables(**limits):
    """Give all four tensors the same limit, by table."""
    return {name: dict.fromkeys("abcd", limit) for name, limit in limits.items()}


def test_the_best_table_wins():
    """Where nothing is better than it."""
    found = search(tables(one=1.0, four=4.0, nine=9.0), Toy(dict.fromkeys("abcd", 4.0)))

    assert {Choice("four", 4.0)} == set(found.choices.values())
    assert "four" == found.taken == next(iter(found.scores))


def test_what_lies_between_two_tables_is_tried():
    """Halfway by the logarithm, and called after both."""
    found = search(tables(one=1.0, four=4.0), Toy(dict.fromkeys("abcd", 2.0)))

    assert {Choice("one+four", 2.0)} == set(found.choices.values())


def test_each_part_of_the_model_may_have_another_tables_limits():
    """A quarter of the tensors is one of four."""
    toy = Toy({"a": 4.0, "b": 4.0, "c": 4.0, "d": 2.0})
    found = search(tables(four=4.0, one=1.0), toy)

    assert [4.0, 4.0, 4.0, 2.0] == [found.choices[name].limit for name in "abcd"]
    assert "four+one" == found.choices["d"].kind


@pytest.mark.parametrize(("basis", "taken"), [(["one", "four"], "four"), (["one"], "other")])
def test_what_is_no_better_than_chance_does_not_replace_the_basis(basis, taken):
    """A table that is better by a hundredth of a dB is not."""
    toy = Toy(dict.fromkeys("abcd", 4.001))
    found = search(tables(one=1.0, four=4.0, other=4.001), toy, basis)

    assert {taken} == {one.kind for one in found.choices.values()}


def test_the_worst_tables_are_given_up_after_half_of_the_samples():
    """Three stay, and what is the basis."""
    toy = Toy(dict.fromkeys("abcd", 4.0))
    asked = tables(three=3.0, four=4.0, five=5.0, six=6.0, nine=9.0, one=1.0)
    search(asked, toy, ["one"])

    assert [1] == [toy.asked.count(table) for name, table in asked.items() if name == "nine"]
    assert 2 == toy.asked.count(asked["one"]) == toy.asked.count(asked["five"])


def test_what_is_worse_on_half_of_the_samples_is_not_run_on_the_rest():
    """Two tables on all of eight; what lies between and the four parts on four alone."""
    toy = Toy(dict.fromkeys("abcd", 4.0))

    assert 2 * 8 + 5 * 4 == search(tables(one=1.0, four=4.0), toy).runs


def test_equal_tables_are_not_tried_twice():
    """Where all kinds agree there is nothing to mix."""
    toy = Toy(dict.fromkeys("abcd", 4.0))
    found = search(tables(one=3.0, two=3.0), toy)

    assert {Choice("one", 3.0)} == set(found.choices.values())
    assert all(asked == dict.fromkeys("abcd", 3.0) for asked in toy.asked)
