"""What passes on few samples: made simple, and then compared on all."""

from __future__ import annotations

import time

import pytest

from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.attempts import Attempts, Tried
from trtbuild.verbs.tuning.candidates import Candidate
from trtbuild.verbs.tuning.levels import WHOLE, SampleLevels, list_counts
from trtbuild.verbs.tuning.search import Search
from trtbuild.verbs.tuning.settle import settle, settle_layers, simplify
from trtbuild.verbs.tuning.standing import add_standing

TOTAL = 800


class Judge:
    """Says of a candidate what rules say, and remembers what it was asked."""

    def __init__(self, gains, lost, total):
        self.gains, self.lost, self.total = gains, lost, total
        self.asked = []

    def __call__(self, candidate, trial, some):
        """Each change gives so many dB, and so many samples are lost of so many."""
        names = "".join(sorted([*candidate.options, *candidate.floats]))
        count = some or self.total
        lacking = 100 * self.lost(names, count) / count
        self.asked.append((names, some))
        told = {
            "samples": count,
            "passed": not lacking,
            "shortfall": lacking,
            "sqnr_db": 10
            + sum(self.gains.get(name, 0.0) for name in [*candidate.options, *candidate.floats]),
            "int8_share": 1 - 0.1 * len(candidate.floats),
            "figures": (),
        }
        return add_standing(trial, told)


def attempts_with(gains, lost=lambda *_: 0, *, total=TOTAL):
    """Attempts, and one that has all these gains, one added after the other."""
    judge = Judge(gains, lost, total)
    start = Trial(what="start", samples=total, shortfall=90.0, sqnr_db=10.0)
    made = Attempts(
        attempt=judge,
        is_known=lambda *_: False,
        tell=lambda *_: None,
        deadline=time.monotonic() + 60,
        levels=SampleLevels(list_counts(total), shares=True),
        tried=[Tried(0, Candidate(), start)],
    )
    best = made.tried[0]
    for name in gains:
        best = made.try_out(best.candidate.adding({name: 1}), name, of=best, few=True)
    judge.asked.clear()
    return made, judge, best


def test_what_gives_nothing_goes_before_all_samples_judge():
    """So only what remains is compared on all."""
    made, judge, best = attempts_with({"a": 5.0, "b": 0.1})
    found = settle(made, best)

    assert (["a"], True, TOTAL) == (
        sorted(found.candidate.options),
        found.trial.passed,
        found.trial.samples,
    )
    assert [("ab", 128), ("a", 128), ("a", WHOLE)] == judge.asked


@pytest.mark.parametrize("fails", [128, TOTAL])
def test_where_less_does_not_pass_the_whole_is_judged(fails):
    """Less is not taken for more than it is: each is compared on all samples."""
    made, _, best = attempts_with(
        {"a": 5.0, "b": 0.1}, lambda names, count: names == "a" and count == fails
    )
    found = settle(made, best)

    assert (["a", "b"], True, TOTAL) == (
        sorted(found.candidate.options),
        found.trial.passed,
        found.trial.samples,
    )


@pytest.mark.parametrize(("near", "asked"), [(False, [128]), (True, [128, WHOLE])])
def test_what_nearly_passes_is_looked_at_again_where_that_is_asked_for(near, asked):
    """One of 128 is chance."""
    made, judge, best = attempts_with({"a": 5.0}, lambda _, count: count == 128)
    found = settle(made, best, near=near)

    assert (near, asked) == (found.trial.passed, [count for _, count in judge.asked])


def test_where_all_samples_contradict_more_decide_from_then_on():
    """Only where that is asked for: what costs nothing is no reason."""
    for strict, wanted in ((False, 128), (True, WHOLE)):
        made, _, best = attempts_with({"a": 5.0}, lambda _, count: 9 if count == TOTAL else 0)

        assert not settle(made, best, strict=strict).trial.passed
        assert wanted == made.levels.wanted


def test_of_few_samples_what_is_not_needed_to_pass_goes():
    """All are compared each time: of what stays it is known what is lost without."""
    made, judge, _ = attempts_with({}, lambda names, _: "b" not in names, total=20)
    start = made.tried[0]
    best = made.try_out(Candidate({"a": 1, "b": 1}, ("x",)), "all", of=start)
    found = settle(made, best)

    assert ({"b": 1}, ("x",)) == (found.candidate.options, found.candidate.floats)
    assert ("b", WHOLE) == judge.asked[-1]


def test_what_saves_float_work_goes_if_it_passes_without():
    """`protect` keeps layers in float, so that its signal has a price."""
    made, judge, _ = attempts_with({"p": 1.0, "a": 1.0})

    def attempt(candidate, trial, some):
        share = 0.9 if "protect" in candidate.options else 1.0
        return judge(candidate, trial, some).model_copy(update={"int8_share": share})

    made.attempt = attempt
    options = {"a": 1, "protect": ["first"]}
    best = made.try_out(Candidate(options), "all", of=made.tried[0])

    assert {"a": 1} == simplify(made, best).candidate.options


def test_what_calibrates_anew_stays():
    """To look at it again costs a calibration, and nothing is saved at run time."""
    made, judge, best = attempts_with({"calibrator": 0.1, "weights": 0.1, "a": 1.0})

    assert ["a", "calibrator"] == sorted(simplify(made, best).candidate.options)
    assert [("acalibrator", 32)] == judge.asked


@pytest.mark.parametrize(
    ("harm", "settled", "options", "floats"),
    [(9, False, [], "y"), (-9, False, ["o"], "xy"), (-9, True, ["o"], "y")],
)
def test_layers_go_back_that_made_up_for_an_option(harm, settled, options, floats):
    """It was chosen before any was in float: where it is still good, nothing is tried.

    Where it was chosen beside them, some may do without.
    """

    def attempt(candidate, trial, some):
        signal = 20 - harm * ("o" in candidate.options) + 9 * len(candidate.floats)
        passed = signal >= 29 and "y" in candidate.floats
        told = {"samples": some or TOTAL, "passed": passed, "shortfall": 0.0 if passed else 50.0}
        return add_standing(trial, {**told, "sqnr_db": float(signal), "figures": ()})

    made = Search(
        attempt=attempt,
        is_known=lambda *_: False,
        tell=lambda *_: None,
        deadline=time.monotonic() + 60,
        levels=SampleLevels(list_counts(TOTAL), shares=True),
        tried=[Tried(0, Candidate(), Trial(what="start", samples=TOTAL, shortfall=90.0))],
    )
    best = made.try_out(Candidate({"o": 1}, ("x", "y")), "all", of=made.tried[0])
    best = made.verify(best) if settled else best
    found = settle_layers(made, best, {}, settled=settled)

    assert (options, floats) == (sorted(found.candidate.options), "".join(found.candidate.floats))
    assert (True, TOTAL) == (found.trial.passed, found.trial.samples)
