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

    some = Errors(((0.2, 0.4),), (1, 3), (1.0,))
    others = Errors(((0.1, 0.3, 0.5),), (0, 2, 4), (1.0,))

    assert whole == some.join(others)


def test_the_spread_is_that_of_pairs():
    """Samples that differ a lot, but always by half, leave no doubt."""
    found = errors(0.1, 0.01, 0.3).compare(errors(0.2, 0.02, 0.6))

    assert pytest.approx((10 * math.log10(2), 0)) == found


def test_runs_of_one_sample_are_no_samples_of_their_own():
    """Four runs of two samples are as uncertain as their two means."""
    twice = errors(0.1, 0.1, 0.3, 0.3, repeats=2).compare(errors(0.2, 0.2, 0.2, 0.2, repeats=2))

    assert pytest.approx(errors(0.1, 0.3).compare(errors(0.2, 0.2))) == twice
