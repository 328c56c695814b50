from __future__ import annotations

import math

import pytest

from trtbuild.calib.errors_of_runs import Errors
from trtbuild.calib.limit_search import Choice, search_limits


class Toy:
    """Errs on each sample by how far, in octaves, each limit is from a best one."""

    def __init__(self, best, runs=8):
        self.best, self.runs, self.asked = best, runs, []

    def __call__(self, limits, places):
        self.asked.append(dict(limits))
        off = sum(math.log2(limits[name] / best) ** 2 for name, best in self.best.items())
        return Errors((tuple(1e-3 + off for _ in places),), tuple(places), (1.0,))


def search(limits, toy, basis="one"):
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
    toy = Toy({"a": 4.0, "b": 4.0, "c": 4.0, "d": 1.0})
    found = search(tables(four=4.0, one=1.0), toy)

    assert [4.0, 4.0, 4.0, 1.0] == [found.choices[name].limit for name in "abcd"]
    assert "one" == found.choices["d"].kind
    assert "four, in part one" == found.taken


@pytest.mark.parametrize(("basis", "taken"), [("four", "four"), ("one", "other")])
def test_what_is_no_better_than_chance_does_not_replace_the_basis(basis, taken):
    """A table that is better by a hundredth of a dB is not."""
    toy = Toy(dict.fromkeys("abcd", 4.001))
    found = search(tables(one=1.0, four=4.0, other=4.001), toy, basis)

    assert {taken} == {one.kind for one in found.choices.values()}


def test_tells_by_how_much_it_is_better_than_the_basis():
    """From four octaves squared of error to a thousandth; no sample differs from another."""
    found = search(tables(one=1.0, two=2.0), Toy(dict.fromkeys("abcd", 2.0)))

    assert pytest.approx((10 * math.log10(4.001 / 0.001), 0)) == (found.gain, found.spread)


def test_tables_are_given_up_after_a_quarter_and_half_of_the_runs():
    """Four stay, then three, and what is the basis."""
    toy = Toy(dict.fromkeys("abcd", 4.0))
    asked = tables(four=4.0, five=5.0, three=3.0, six=6.0, nine=9.0, one=1.0)
    search(asked, toy)
    times = {name: toy.asked.count(table) for name, table in asked.items()}

    assert {"four": 3, "five": 3, "three": 3, "six": 2, "nine": 1, "one": 3} == times


def test_what_is_worse_on_a_quarter_of_the_runs_is_not_run_on_the_rest():
    """Two tables on all of eight; what lies between and the four parts on two alone."""
    toy = Toy(dict.fromkeys("abcd", 4.0))

    assert 2 * 8 + 5 * 2 == search(tables(one=1.0, four=4.0), toy).runs


def test_equal_tables_are_not_tried_twice():
    """Where all kinds agree there is nothing to mix."""
    toy = Toy(dict.fromkeys("abcd", 4.0))
    found = search(tables(one=3.0, two=3.0), toy)

    assert {Choice("one", 3.0)} == set(found.choices.values())
    assert all(asked == dict.fromkeys("abcd", 3.0) for asked in toy.asked)
