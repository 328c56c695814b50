from __future__ import annotations

import math

import pytest

from trtbuild.calib.errors_of_runs import Errors
from trtbuild.calib.limit_search import LimitChoice, search_limits


class Toy:
    """Errs on each sample by how far, in octaves, each limit is from a best one."""

    def __init__(self, best, runs=8, noise=0.0):
        self.best, self.runs, self.noise, self.asked = best, runs, noise, []

    def __call__(self, limits, places):
        self.asked.append(dict(limits))
        off = sum(math.log2(limits[name] / best) ** 2 for name, best in self.best.items())
        chance = [self.noise * (-1) ** (place // 2) * limits["a"] for place in places]
        shares = tuple(1 + off + each for each in chance)
        return Errors((shares,), tuple(places), (1.0,))


def search(limits, toy, basis="one"):
    return search_limits(limits, toy, basis=basis)


def tables(**limits):
    """Give all four tensors the same limit, by table."""
    return {name: dict.fromkeys("abcd", limit) for name, limit in limits.items()}


def test_the_best_table_wins():
    """Where nothing is better than it."""
    found = search(tables(one=1.0, four=4.0, nine=9.0), Toy(dict.fromkeys("abcd", 4.0)))

    assert {LimitChoice("four", 4.0)} == set(found.choices.values())
    assert "four" == found.taken == next(iter(found.scores))


def test_a_narrower_table_is_taken_where_it_is_better_beyond_chance_alone():
    """With wider limits the error is a hundredth larger, in sum or on each of the samples."""
    asked = tables(one=1.0, wider=1.03)

    assert "one" == search(asked, Toy(dict.fromkeys("abcd", 1.0))).taken
    assert "wider" == search(asked, Toy(dict.fromkeys("abcd", 1.0), noise=0.9)).taken


def test_what_is_much_worse_is_not_taken_however_wide():
    """By more than NEAR_DB, though chance might explain it."""
    toy = Toy(dict.fromkeys("abcd", 1.0), noise=0.8)

    assert "one" == search(tables(one=1.0, wider=1.3), toy).taken


def test_tells_by_how_much_it_is_better_than_the_basis():
    """From five to one; no sample differs from another."""
    found = search(tables(one=1.0, two=2.0), Toy(dict.fromkeys("abcd", 2.0)))

    assert pytest.approx((10 * math.log10(5), 0)) == (found.gain, found.spread)


def test_what_is_clearly_worse_is_not_run_to_the_end():
    """But the basis is: a quarter of eight runs for one table, all for the other two."""
    toy = Toy(dict.fromkeys("abcd", 4.0))
    asked = tables(one=1.0, four=4.0, nine=9.0)
    found = search(asked, toy)

    times = {name: toy.asked.count(table) for name, table in asked.items()}
    assert {"one": 3, "four": 3, "nine": 1} == times
    assert 8 + 8 + 2 == found.runs
    assert ["four", "one"] == list(found.scores)


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_few_runs_are_enough(runs):
    """Stages that hold none are left out."""
    toy = Toy(dict.fromkeys("abcd", 4.0), runs)

    assert "four" == search(tables(one=1.0, four=4.0), toy).taken
