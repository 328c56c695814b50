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


def test_a_table_that_is_clearly_better_is_taken():
    """Of several the best, wherever the limits are."""
    found = search(tables(one=1.0, four=4.0, six=6.0), Toy(dict.fromkeys("abcd", 4.0)))

    assert {LimitChoice("four", 4.0)} == set(found.choices.values())
    assert "four" == found.taken == next(iter(found.scores))


@pytest.mark.parametrize(("noise", "taken"), [(0.001, "best"), (0.9, "one")])
def test_what_chance_alone_may_explain_is_not(noise, taken):
    """The basis errs by a hundredth more, in sum or on each of the samples."""
    toy = Toy(dict.fromkeys("abcd", 1.03), noise=noise)

    found = search(tables(one=1.0, best=1.03), toy)

    assert taken == found.taken
    assert found.scores["best"] > found.scores["one"]


def test_tells_by_how_much_it_is_better_than_the_basis():
    """From five to one; no sample differs from another."""
    found = search(tables(one=1.0, two=2.0), Toy(dict.fromkeys("abcd", 2.0)))

    assert pytest.approx((10 * math.log10(5), 0)) == (found.gain, found.spread)


def test_what_is_worse_is_not_run_to_the_end():
    """A quarter of 32 runs for it, all for the other two."""
    toy = Toy(dict.fromkeys("abcd", 4.0), 32)
    asked = tables(one=1.0, four=4.0, wide=99.0)
    found = search(asked, toy)

    times = {name: toy.asked.count(table) for name, table in asked.items()}
    assert {"one": 3, "four": 3, "wide": 1} == times
    assert 32 + 32 + 8 == found.runs
    assert ["four", "one"] == list(found.scores)


def test_where_nothing_is_better_the_basis_is_not_run_to_the_end():
    """And all is told on the quarter that was run."""
    found = search(tables(one=1.0, four=4.0, nine=9.0), Toy(dict.fromkeys("abcd", 1.0), 32))

    assert ("one", 3 * 8) == (found.taken, found.runs)
    assert ["one", "four", "nine"] == list(found.scores)


@pytest.mark.parametrize("runs", [1, 2, 3, 31])
def test_of_few_runs_all_are_made(runs):
    """A part of them would say nothing."""
    toy = Toy(dict.fromkeys("abcd", 4.0), runs)

    found = search(tables(one=1.0, four=4.0, nine=9.0), toy)

    assert ("four", 3 * runs) == (found.taken, found.runs)


def test_the_first_runs_are_of_samples_of_every_class():
    """Which take turns, four of them."""
    firsts = []

    class Watched(Toy):
        def __call__(self, limits, places):
            firsts.append([place % 4 for place in places])
            return super().__call__(limits, places)

    search(tables(one=1.0), Watched(dict.fromkeys("abcd", 4.0), 64))

    assert {0, 1, 2, 3} == set(firsts[0])
