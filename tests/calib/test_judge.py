from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.judge import Counting, Judge, NothingToJudge
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
    """Of 10 with an error of 1 it is 20 dB; of 30 and 0, of which 450 is the mean square, 26.5."""
    assert 20 == pytest.approx(judge_of([[10.0]])({"x": 1.0}).decibels)
    assert 26.5 == pytest.approx(judge_of([[30.0], [0.0]])({"x": 1.0}).decibels, abs=0.04)


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


def test_some_of_the_runs_are_those_of_all():
    """By their places, in any order of asking."""
    judge = judge_of([[1.0], [2.0], [3.0], [4.0], [5.0]], fixed=())
    parts = [judge({"x": 0.5}, places) for places in (range(1, 5, 2), range(0, 5, 2))]

    assert judge({"x": 0.5}) == parts[0].join(parts[1])


def test_a_sample_may_be_run_more_than_once():
    """Each time with limits a little wider by another share; it stays one sample."""
    judge = judge_of([[1.0], [1.0]], fixed=(), counting=Counting(repeats=4))

    assert (2, 8) == (judge.samples, judge.runs)
    assert 8 == len(set(judge({"x": 1.0}).shares[0]))


class Two:
    """Stands for a session with an output of so many values, and one that was added."""

    def __init__(self, count):
        self.count = count

    def run(self, feed, names=None):
        del names
        off = feed.get("added", np.float32(0))
        own = np.repeat(np.array([[100.0], [1.0]], np.float32), self.count, 1)[None]
        return {"y": own + off, "near": np.ones(1, np.float32) + 10 * off}


def judge_two(count, *, watched=("near",), find_parts=lambda *_: ()):
    session, feed = Two(count), Feed(("0",), {"x": np.zeros(1, np.float32)})
    scales = lambda limits: {"added": np.float32(limits["x"])}  # noqa: E731
    counting = Counting(watched, find_parts)
    return Judge(session, session, [feed], scales, fixed=["x"], counting=counting)({"x": 0.1})


def test_what_is_watched_counts_a_third():
    """All of it together, beside the outputs; where there is nothing else it is all."""
    assert [2 / 3, 1 / 3] == pytest.approx(judge_two(4).weights)
    assert [1 / 2, 1 / 2] == pytest.approx(judge_two(4, watched=("near", "y")).weights)


def test_what_is_watched_may_not_take_the_room_of_samples(monkeypatch):
    """A tensor of more values than that is left out."""
    monkeypatch.setattr("trtbuild.calib.judge.MOST_WATCHED", 0)

    assert (1.0,) == judge_two(4).weights


def test_parts_of_an_output_count_by_themselves():
    """Of 100 and 1 with an error of 0.1 it is a millionth and a hundredth."""
    rows = [(slice(None), slice(0, 1)), (slice(None), slice(1, 2))]
    find_parts = lambda name, outputs: rows if outputs and name == "y" else ()  # noqa: E731

    assert [1 / 3] * 3 == pytest.approx(judge_two(600, find_parts=find_parts).weights)
    plain = judge_two(600, find_parts=find_parts)
    assert [1e-6, 1e-2] == pytest.approx([each[0] for each in plain.shares[:2]], rel=1e-3)


@pytest.mark.parametrize("own", [np.zeros_like, lambda x: np.arange(x.size)])
def test_outputs_that_tell_nothing_are_refused(own):
    """All zero, or integers."""
    with pytest.raises(NothingToJudge):
        judge_of([[1.0, 2.0]], own)
