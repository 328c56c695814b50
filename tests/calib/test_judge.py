from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.judge import Errors, Judge, NothingToJudge
from trtbuild.model.feeds import Feed


class Plus:
    """Stands for a session: adds what is fed as `added`."""

    def __init__(self, own):
        self.own = own

    def run(self, feed, names=None):
        del names
        return {"y": self.own(feed["x"]) + feed.get("added", 0)}


def judge_of(values, own=lambda x: x, **options):
    feeds = [Feed((str(i),), {"x": np.array(each, np.float32)}) for i, each in enumerate(values)]
    scales = lambda limits: {"added": np.float32(limits["x"])}  # noqa: E731
    return Judge(Plus(own), Plus(own), feeds, scales, **{"fixed": ["x"], **options})


def test_scores_signal_over_error_in_decibels():
    """Of 10 with an error of 1 it is 20 dB, and with the half of it in the mean 23."""
    assert 20 == pytest.approx(judge_of([[10.0]])({"x": 1.0}).decibels)
    assert 23 == pytest.approx(judge_of([[10.0], [1e6]])({"x": 1.0}).decibels, abs=0.02)


def test_no_error_is_the_best_and_no_number_the_worst():
    """What saturates counts no more than 80 dB."""
    judge = judge_of([[1.0]])

    assert pytest.approx(80) == judge({"x": 0.0}).decibels
    assert pytest.approx(-80) == judge({"x": float("nan")}).decibels


def test_threads_change_no_score():
    """Scores are added in the order of the samples."""
    values = np.random.default_rng(0).standard_normal((9, 50))

    assert judge_of(values)({"x": 0.1}) == judge_of(values, workers=3)({"x": 0.1})


def test_limits_are_tried_a_little_wider_each_time():
    """By 6 % at most, and never by the same; an input's are taken as they are."""
    shares = judge_of([[1.0]] * 50, fixed=())({"x": 1.0}).shares[0]

    assert 50 == len(set(shares))
    assert 1 <= min(shares) < 1.01
    assert 1.11 < max(shares) <= 1.06**2
    assert {1.0} == set(judge_of([[1.0]] * 50)({"x": 1.0}).shares[0])


def test_what_was_run_by_halves_is_joined_in_order():
    """Half of the samples now and half later are the same as all at once."""
    judge = judge_of([[1.0], [2.0], [3.0], [4.0], [5.0]])
    halves = [judge({"x": 0.5}, start, 2) for start in (0, 1)]

    assert judge({"x": 0.5}) == halves[0].join(halves[1])


@pytest.mark.parametrize(
    ("errors", "others", "clear"),
    [
        ([0.1, 0.1, 0.1, 0.1], [0.2, 0.2, 0.2, 0.2], True),
        ([0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1], False),
        ([0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.9, 0.1], False),
        ([0.1, 0.2, 0.1, 0.2], [0.3, 0.1, 0.3, 0.1], False),
        ([0.1], [0.2], True),
    ],
)
def test_better_is_what_chance_does_not_explain(errors, others, clear):
    """Not what one sample makes, nor what one half of the samples speaks against."""
    one, other = (Errors((tuple(each),)) for each in (errors, others))

    assert clear == one.is_clearly_better(other)


@pytest.mark.parametrize("own", [np.zeros_like, lambda x: np.arange(x.size)])
def test_outputs_that_tell_nothing_are_refused(own):
    """All zero, or integers."""
    with pytest.raises(NothingToJudge):
        judge_of([[1.0, 2.0]], own)
