from __future__ import annotations

import math
import time

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


def test_a_sample_that_is_nearly_all_of_the_error_leaves_the_others():
    """Without it 10 and 30 dB remain, of which nothing is lost in the sum."""
    found = errors(1e8, 0.1, 0.001).compare(errors(1e8, 0.001, 0.1))
    alone = [-10 * math.log10(x / 2) for x in (0.101, 1e8 + 0.1, 1e8 + 0.001)]
    other = [-10 * math.log10(x / 2) for x in (0.101, 1e8 + 0.001, 1e8 + 0.1)]
    gaps = [one - two for one, two in zip(alone, other, strict=True)]
    spread = math.sqrt(sum((gap - sum(gaps) / 3) ** 2 for gap in gaps) * 2 / 3)

    assert pytest.approx((0, spread), abs=1e-12) == found


def test_many_samples_are_compared_in_moments():
    """Each is left out once: not by summing up all the others for it."""
    many = errors(*(0.1 + n % 7 / 100 for n in range(20_000)))
    before = time.process_time()

    assert (0, 0) == many.compare(many)
    assert time.process_time() - before < 5


def test_runs_of_one_sample_are_no_samples_of_their_own():
    """Four runs of two samples are as uncertain as their two means."""
    twice = errors(0.1, 0.1, 0.3, 0.3, repeats=2).compare(errors(0.2, 0.2, 0.2, 0.2, repeats=2))

    assert pytest.approx(errors(0.1, 0.3).compare(errors(0.2, 0.2))) == twice
