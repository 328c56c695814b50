"""How many samples say what: few of what cannot pass, more of what may, all of what does."""

from __future__ import annotations

import time

import pytest

from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.attempts import Attempts, OutOfTime, Tried
from trtbuild.verbs.tuning.candidates import Candidate
from trtbuild.verbs.tuning.levels import WHOLE, SampleLevels, list_counts
from trtbuild.verbs.tuning.standing import add_standing

TOTAL = 800


def attempts_with(lost, signal=lambda _: 20.0, *, total=TOTAL, seconds=60.0):
    """Attempts at candidates, of which so many samples are lost on so many, of such a signal."""
    asked = []

    def attempt(candidate, trial, some):
        asked.append(some)
        count = some or total
        lacking = 100 * lost(candidate, count) / count
        told = {
            "samples": count,
            "passed": not lacking,
            "shortfall": lacking,
            "sqnr_db": signal(candidate),
            "figures": (),
        }
        return add_standing(trial, told)

    start = Trial(what="start", samples=total, shortfall=9.0, sqnr_db=5.0)
    made = Attempts(
        attempt=attempt,
        is_known=lambda candidate, _: "known" in candidate.options,
        tell=lambda *_: None,
        deadline=time.monotonic() + seconds,
        levels=SampleLevels(list_counts(total), shares=True),
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


def test_what_all_samples_contradict_raises_the_signal_that_is_asked_for():
    """What has no more signal than the one that failed is not compared on more again."""
    made, asked = attempts_with(lambda _, count: 9 if count == TOTAL else 0)
    found = made.verify(made.try_out(Candidate({"a": 1}), "a", of=made.tried[0]))
    other = made.try_out(Candidate({"b": 1}), "b", of=made.tried[0])

    assert [32, 128, WHOLE, 32] == asked
    assert (False, False) == (found.trial.passed, other.trial.passed)
    assert [32, 128] == [each.samples for each in found.trial.fewer]


@pytest.mark.parametrize(("lost", "counts"), [(9, [32, 128, 512]), (1, [32, 128, 512, 2048, 0])])
def test_more_samples_that_clearly_fail_spare_the_rest(lost, counts):
    """On the way to all of 5000; one sample too many is chance there too."""
    made, asked = attempts_with(lambda _, count: lost if count > 128 else 0, total=5000)
    found = made.verify(made.try_out(Candidate({"a": 1}), "a", of=made.tried[0]))

    assert (counts, False) == (asked, found.trial.passed)


def test_what_is_to_be_known_is_compared_on_all_samples_whatever_fewer_say():
    """Only so can it be chosen where nothing passes."""
    made, asked = attempts_with(lambda *_: 9, total=5000)
    found = made.measure(made.try_out(Candidate({"a": 1}), "a", of=made.tried[0]))

    assert ([32, 128, 512, 2048, WHOLE], 5000) == (asked, found.trial.samples)


def test_what_costs_nothing_needs_little_more_signal_than_what_failed():
    """What keeps a layer in float needs much more, to be compared on more samples."""
    signals = {"a": 20.0, "b": 21.5, "c": 21.5}
    made, asked = attempts_with(
        lambda _, count: 9 if count == TOTAL else 0, lambda it: signals[next(iter(it.options))]
    )
    found = made.verify(made.try_out(Candidate({"a": 1}), "a", of=made.tried[0]))
    made.decide(made.try_out(Candidate({"b": 1}), "b", of=found, few=True))
    made.try_out(Candidate({"c": 1}, ("layer",)), "c", of=found)

    assert [32, 128, WHOLE, 32, 128, 32] == asked


@pytest.mark.parametrize(("lost", "near"), [(0, True), (1, True), (2, False)])
def test_one_sample_too_many_of_those_that_decide_is_chance(lost, near):
    """Of fewer it says nothing, and of all there is nothing more to see."""
    made, _ = attempts_with(lambda _, count: lost if count == 128 else 0)
    few = made.try_out(Candidate({"a": 1}), "a", of=made.tried[0], few=True)
    more = made.decide(few)

    assert (False, near) == (made.is_near(few), made.is_near(more))
    assert not made.is_near(made.measure(more))


def test_once_the_time_is_spent_what_is_known_and_goes_no_further_is_no_end():
    """So that a search that is known is gone through again; what is verified is so whatever."""
    made, asked = attempts_with(lambda *_: 9, seconds=0)
    found = made.try_out(Candidate({"known": 1}), "known", of=made.tried[0])
    more = made.decide(found)

    assert ([32], found) == (asked, more)
    with pytest.raises(OutOfTime):
        made.try_out(Candidate({"new": 1}), "new", of=made.tried[0])
    assert TOTAL == made.measure(found).trial.samples


@pytest.mark.parametrize(
    ("signals", "lost", "counts", "taken"),
    [
        ((20.5, 20.0), 1, [32, 32, 128, 128], "b"),
        ((21.5, 20.0), 1, [32, 32], "a"),  # clearly more signal
        ((2.9, 2.5), 1, [32, 32], "a"),  # of so little nothing is to be told
        ((20.5, 20.0), 0, [32, 32], "a"),  # neither lacks anything
    ],
)
def test_more_samples_tell_apart_what_few_hardly_do(signals, lost, counts, taken):
    """On the fewest both lose as much, and on more samples `a` loses most."""
    by_name = dict(zip("ab", signals, strict=True))
    many = {"a": 30, "b": 1}

    def name_of(candidate):
        return "".join(candidate.options)

    made, asked = attempts_with(
        lambda candidate, count: lost if count == 32 else many[name_of(candidate)],
        lambda candidate: by_name[name_of(candidate)],
    )
    one, other = (
        made.try_out(Candidate({name: 1}), name, of=made.tried[0], few=True) for name in "ab"
    )

    assert taken == name_of(made.choose(one, other).candidate)
    assert counts == asked
