"""Verdicts on intervals and on the lock; those on values are in test_gates."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.comparison import Interval, Measure
from trtbuild.measure.gates import Gate, judge_gates
from trtbuild.measure.verdicts import judge_against_lock


def sqnr(value=30.0, low=29.0, high=31.0, confidence=0.95) -> Measure:
    interval = Interval(confidence=confidence, method="bootstrap", value=(low, high))
    return Measure(metric="sqnr_db", output="y", value=value, unit="dB", intervals=(interval,))


def top1(reference, value, low, high) -> Measure:
    interval = Interval(confidence=0.95, method="score", value=(0, 1), drop=(low, high))
    return Measure(
        metric="top1", output="y", value=value, reference=reference, unit="share", own=True,
        intervals=(interval,),
    )  # fmt: skip


def judged(measure, samples=64, **fields):
    gate = Gate.model_validate_json(json.dumps({"metric": measure.metric, **fields}))
    (verdict,) = gate.judge([measure], samples=samples)
    return verdict


@pytest.mark.parametrize(
    ("passed", "fields"),
    [
        (True, {"at_least": 29.5}),
        (False, {"at_least": 29.5, "confidence": "95%"}),
        (True, {"at_least": 29, "confidence": "95%"}),
        (False, {"at_most": 30.5, "confidence": "95%"}),
        (True, {"at_most": 31, "confidence": "95%"}),
    ],
)
def test_with_a_confidence_the_worse_end_is_judged(passed, fields):
    """30 dB, from 29 to 31."""
    assert passed == judged(sqnr(), **fields).passed


def test_what_failed_says_by_how_much_and_where_it_lies():
    """In the words of the metric's unit."""
    found = judged(sqnr(), at_least=32.5)

    assert ("2.50 dB", "29.00 to 31.00 dB (95 %)") == (found.missed_by, found.interval)
    assert "sqnr_db ≥ 29.5, 95 % sure" == judged(sqnr(), at_least=29.5, confidence="95%").gate


def test_what_the_reference_would_not_pass_is_told():
    """No precision and no search reaches such a gate; where it would pass nothing is said."""
    measure = top1(0.9, 0.85, 0.8, 0.9)

    told = "the reference itself has 90.00 %, and would not pass"
    assert told == judged(measure, at_least="95%").doubt
    assert told not in judged(measure, at_least="88%").doubt


def test_a_drop_is_judged_by_its_own_interval():
    """0.5 points, from -1 to 2: others might fail; with a confidence it does."""
    measure = top1(0.9, 0.895, -0.01, 0.02)

    loose = judged(measure, samples=200, drop_at_most="1%")
    assert (True, "200 samples do not settle it: others might fail") == (loose.passed, loose.doubt)
    strict = judged(measure, samples=200, drop_at_most="1%", confidence="95%")
    assert (False, "1.00 points") == (strict.passed, strict.missed_by)
    assert "the value passes, and 200 samples do not prove it: take more" == strict.doubt


def test_fewer_samples_than_the_gate_can_see_are_told():
    """64 samples and half a point."""
    found = judged(top1(0.9, 0.9, -0.06, 0.06), drop_at_most="0.5%")

    assert "one of 64 samples is 1.56 points, more than the gate allows" == found.doubt


def test_an_interval_that_is_not_there_proves_nothing():
    """Of one sample there is none."""
    measure = sqnr().model_copy(update={"intervals": ()})
    found = judged(measure, at_least=1, confidence="95%")

    assert not found.passed
    assert "no interval to judge" in found.remark


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"metric": "max_abs", "at_most": 1, "confidence": "95%"}, "max_abs has no interval"),
        ({"metric": "cosine", "at_least": 0.9, "confidence": 95}, "between 50% and 99.5%"),
    ],
)
def test_a_confidence_that_cannot_be_is_refused(fields, told):
    """A largest value; a number that is no share."""
    with pytest.raises(ValueError, match=told):
        Gate.model_validate_json(json.dumps(fields))


@pytest.mark.parametrize(
    ("better", "before", "passed", "found"),
    [("high", 31.0, False, "drop 1.00 dB"), ("high", 29.0, True, "gain 1.00 dB"),
     ("low", 29.0, False, "drop 1.00 dB")],
)  # fmt: skip
def test_a_drop_from_the_lock_is_by_the_better_end(better, before, passed, found):
    """30 dB now, half a dB allowed."""
    measure = sqnr().model_copy(update={"better": better})
    verdict = judge_against_lock(measure, before, 0.5, None, 64)

    assert (passed, found) == (verdict.passed, verdict.found)
    assert "sqnr_db drop from the lock ≤ 0.5 dB" == verdict.gate


def test_what_is_broken_fails_without_a_gate():
    """Once an output, with the sample."""
    why = "the candidate holds NaN or Inf in 1 of 3 samples, first in sample 1"
    broken = [
        Measure(metric=metric, output="y", value=None, remark=why, broken=True)
        for metric in ("cosine", "sqnr_db")
    ]
    (verdict,) = judge_gates([], tuple(broken), samples=3)

    assert (False, "y", why) == (verdict.passed, verdict.output, verdict.remark)


def test_parts_that_nobody_asked_for_are_not_judged():
    """But by their own name."""
    part = sqnr(10.0).model_copy(update={"output": "y[:, 4:]", "part_of": "y"})
    gate = Gate.model_validate_json('{"metric": "sqnr_db", "at_least": 20}')
    named = gate.model_copy(update={"output": "y[:, 4:]"})

    assert [True] == [each.passed for each in gate.judge([sqnr(), part])]
    assert [False] == [each.passed for each in named.judge([sqnr(), part])]
