"""What a search comes to: the frontier of what was tried."""

from __future__ import annotations

import time

import pytest

from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.attempts import Tried
from trtbuild.verbs.tuning.candidates import Candidate
from trtbuild.verbs.tuning.conclude import choose, mark_frontier
from trtbuild.verbs.tuning.levels import SampleLevels, list_counts
from trtbuild.verbs.tuning.search import Search
from trtbuild.verbs.tuning.standing import add_standing


@pytest.mark.parametrize(("seconds", "expected"), [(60, 3), (0, 1)])
def test_of_those_that_pass_on_few_samples_the_first_are_compared_on_all(seconds, expected):
    """One after the other until one passes there; one alone once the time is spent."""
    asked = []

    def attempt(candidate, trial, some):
        asked.append((candidate.key, some))
        told = {"samples": some or 800, "passed": False, "shortfall": 50.0, "figures": ()}
        return add_standing(trial, told)

    start = Trial(what="start", samples=800, shortfall=90.0, sqnr_db=0.0)
    search = Search(
        attempt=attempt,
        is_known=lambda *_: False,
        tell=lambda *_: None,
        deadline=time.monotonic() + seconds,
        levels=SampleLevels(list_counts(800)),
        tried=[Tried(0, Candidate(), start)],
    )
    for index in range(1, 5):
        told = {"samples": 32, "passed": True, "sqnr_db": 9.0, "figures": ()}
        trial = add_standing(Trial(what="", of=0), told)
        search.tried.append(Tried(index, Candidate({"a": index}), trial))

    assert choose(search).index in range(1, 5)
    assert expected == sum(some == 0 for _, some in asked)


def test_the_frontier_is_what_nothing_with_as_much_int8_comes_closer_than():
    """Of equal shares the closest, by signal where both lack as much; what failed is no point."""
    points = [(1.0, 9.0, 5.0), (1.0, 9.0, 6.0), (0.8, 9.0, 4.0), (0.7, 2.0, 9.0), (0.9, 3.0, 8.0)]
    trials = [
        Trial(what="", int8_share=share, shortfall=lacking, sqnr_db=signal)
        for share, lacking, signal in points
    ]
    broken = Trial(what="", problem="it cannot be built", int8_share=1.0)
    found = mark_frontier([*trials, broken])

    assert [1, 3, 4] == [index for index, trial in enumerate(found) if trial.frontier]
