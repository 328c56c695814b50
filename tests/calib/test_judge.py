from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.judge import Judge, NothingToJudge
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
    return Judge(Plus(own), Plus(own), feeds, scales, **options)


def test_scores_signal_over_error_in_decibels():
    """Of 10 with an error of 1 it is 20 dB, and with the half of it in the mean 23."""
    assert 20 == pytest.approx(judge_of([[10.0]])({"x": 1.0}))
    assert 23 == pytest.approx(judge_of([[10.0], [1e6]])({"x": 1.0}), abs=0.02)


def test_no_error_is_the_best_and_no_number_the_worst():
    """What saturates counts no more than 80 dB."""
    judge = judge_of([[1.0]])

    assert pytest.approx(80) == judge({"x": 0.0})
    assert pytest.approx(-80) == judge({"x": float("nan")})


def test_threads_change_no_score():
    """Scores are added in the order of the samples."""
    values = np.random.default_rng(0).standard_normal((9, 50))

    assert judge_of(values)({"x": 0.1}) == judge_of(values, workers=3)({"x": 0.1})


@pytest.mark.parametrize("own", [np.zeros_like, lambda x: np.arange(x.size)])
def test_outputs_that_tell_nothing_are_refused(own):
    """All zero, or integers."""
    with pytest.raises(NothingToJudge):
        judge_of([[1.0, 2.0]], own)
