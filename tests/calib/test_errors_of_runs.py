from __future__ import annotations

import math

import pytest

from trtbuild.calib.errors_of_runs import Errors


def errors(*shares, repeats=1):
    """Make errors of one output."""
    return Errors((shares,), tuple(range(len(shares))), (1.0,), repeats)


def test_a_score_is_the_mean_over_outputs_by_their_weights():
    """A tenth of error is 10 dB, a thousandth 30: as both count alike, 20; by thirds, 23.3."""
    shares = (0.1, 0.1), (0.001, 0.001)

    assert 20 == pytest.approx(Errors(shares, (0, 1), (0.5, 0.5)).decibels)
    assert 70 / 3 == pytest.approx(Errors(shares, (0, 1), (1 / 3, 2 / 3)).decibels)


def test_what_was_run_bit_by_bit_is_joined_in_order():
    """Some now and some later are the same as all at once."""
    whole = errors(0.1, 0.2, 0.3, 0.4, 0.5)

    assert whole == whole.pick((1, 3)).join(whole.pick((0, 2, 4)))
    assert (0, 2, 4) == whole.pick((4, 0, 2)).places


@pytest.mark.parametrize(
    ("one", "other", "clear"),
    [
        ([0.1, 0.1, 0.1, 0.1], [0.2, 0.2, 0.2, 0.2], True),
        ([0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1], False),
        ([0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.9, 0.1], False),
        ([0.1, 0.2, 0.1, 0.2], [0.3, 0.1, 0.3, 0.1], False),
        ([0.1], [0.2], True),
    ],
)
def test_better_is_what_chance_does_not_explain(one, other, clear):
    """Not what one sample makes, nor what one half of the samples speaks against."""
    assert clear == errors(*one).is_clearly_better(errors(*other))


def test_the_spread_is_that_of_pairs():
    """Samples that differ a lot, but always by half, leave no doubt."""
    found = errors(0.1, 0.01, 0.3).compare(errors(0.2, 0.02, 0.6))

    assert pytest.approx((10 * math.log10(2), 0)) == found


def test_runs_of_one_sample_are_no_samples_of_their_own():
    """Four runs of two samples are as uncertain as their two means."""
    twice = errors(0.1, 0.1, 0.3, 0.3, repeats=2).compare(errors(0.2, 0.2, 0.2, 0.2, repeats=2))

    assert pytest.approx(errors(0.1, 0.3).compare(errors(0.2, 0.2))) == twice
