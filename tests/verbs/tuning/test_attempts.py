"""How many samples say what: few of what cannot pass, more of what may, all of what does."""

from __future__ import annotations

import time

import pytest

from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.attempts import Attempts, Tried
from trtbuild.verbs.tuning.candidates import Candidate
from trtbuild.verbs.tuning.levels import WHOLE, SampleLevels, list_counts
from trtbuild.verbs.tuning.standing import add_standing

TOTAL = 800


@pytest.mark.parametrize(
    ("total", "expected"),
    [(16, (WHOLE,)), (64, (32, WHOLE)), (800, (32, 128, WHOLE)), (5000, (32, 128, 512, 2048, 0))],
)
def test_counts_grow_until_all_are_not_much_more(total, expected):
    """Of few samples none are left out."""
    assert expected == list_counts(total)


def attempts_with(lost, signal=lambda _: 20.0):
    """Attempts at candidates, of which so many samples are lost on so many, of such a signal."""
    asked = []

    def attempt(candidate, trial, some):
        asked.append(some)
        count = some or TOTAL
        lacking = 100 * lost(candidate, count) / count
        told = {
            "samples": count,
            "passed": not lacking,
            "shortfall": lacking,
            "sqnr_db": signal(candidate),
            "figures": (),
        }
        return add_standing(trial, told)

    start = Trial(what="start", samples=TOTAL, shortfall=9.0, sqnr_db=5.0)
    made = Attempts(
        attempt=attempt,
        is_known=lambda *_: False,
        tell=lambda *_: None,
        deadline=time.monotonic() + 60,
        levels=SampleLevels(list_counts(TOTAL), shares=True),
        tried=[Tried(0, Candidate(), start)],
    )
    return made, asked


@pytest.mark.parametrize(
    ("lost", "counts", "passed"),
    [(9, [32], False), (1, [32, 128], False), (0, [32, 128], True)],
)
def test_what_clearly_fails_on_few_is_not_compared_on_more(lost, counts, passed):
    """One sample of few is nothing; one of those that decide fails."""
    made, asked = attempts_with(lambda *_: lost)
    found = made.try_out(Candidate({"a": 1}), "a", of=made.tried[0])

    assert (counts, passed) == (asked, found.trial.passed)


def test_few_samples_alone_let_nothing_pass():
    """Of so few none need fail: what is chosen by them is chosen by signal."""
    made, asked = attempts_with(lambda *_: 0)
    found = made.try_out(Candidate({"a": 1}), "a", of=made.tried[0], few=True)

    assert ([32], False) == (asked, found.trial.passed)


def test_where_all_samples_contradict_they_count_from_then_on_and_more_signal_is_asked_for():
    """What has no more signal than the one that failed is not compared on all of them again."""
    made, asked = attempts_with(lambda _, count: 9 if count == TOTAL else 0)
    found = made.verify(made.try_out(Candidate({"a": 1}), "a", of=made.tried[0]))
    other = made.try_out(Candidate({"b": 1}), "b", of=made.tried[0])

    assert [32, 128, WHOLE, 32] == asked
    assert (False, False) == (found.trial.passed, other.trial.passed)
    assert WHOLE == made.levels.wanted
    assert [32, 128] == [each.samples for each in found.trial.fewer]


def test_what_costs_nothing_is_compared_on_all_where_one_sample_too_many_is_lost():
    """Of 128 that is chance; where it then fails, what has no more signal is left alone."""
    made, asked = attempts_with(lambda _, count: 9 if count == TOTAL else 1)
    found = made.decide(made.try_out(Candidate({"a": 1}), "a", of=made.tried[0], few=True))
    made.decide(made.try_out(Candidate({"b": 1}), "b", of=made.tried[0], few=True))

    assert [32, 128, WHOLE, 32] == asked
    assert not found.trial.passed
    assert 128 == made.levels.wanted


def test_what_costs_nothing_needs_little_more_signal_than_what_failed():
    """What keeps a layer in float needs much more, to be compared on all samples."""
    signals = {"a": 20.0, "b": 21.5, "c": 21.5}
    made, asked = attempts_with(
        lambda _, count: 9 if count == TOTAL else 0, lambda it: signals[next(iter(it.options))]
    )
    found = made.decide(made.try_out(Candidate({"a": 1}), "a", of=made.tried[0], few=True))
    made.decide(made.try_out(Candidate({"b": 1}), "b", of=found, few=True))
    made.try_out(Candidate({"c": 1}, ("layer",)), "c", of=found)

    assert [32, 128, WHOLE, 32, 128, WHOLE, 32] == asked
