"""Intervals: the same everywhere, and as wide as they should be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trtbuild.measure.intervals import (
    bootstrap_intervals,
    draw_samples,
    list_confidences,
    score_intervals,
)

SURE = (0.95,)
DRAWN = [0, 3, 2, 0, 3]
"""By PCG64 seeded with 1979, its upper 32 bits scaled to 5."""


def shares(right, reference=None):
    """The score interval of truth values that are written as 1 and 0."""
    other = None if reference is None else np.array(reference, bool)
    (found,) = score_intervals(np.array(right, bool), other, confidences=SURE)
    return found


def test_draws_are_the_same_however_they_are_batched():
    """And of any number of samples: PCG64 is not what NumPy may change."""
    (few,) = draw_samples(5, 3)
    (more,) = draw_samples(5, 1000)

    assert DRAWN == few[0].tolist()
    assert few.tolist() == more[:3].tolist()
    assert {0, 1, 2, 3, 4} == set(more.flat)
    assert sum(len(batch) for batch in draw_samples(3_000, 1000)) == 1000


def test_percentiles_of_resamples_are_ordered_values():
    """Of 999 values, 2.5 % from each end: the 25th and the 975th; a drop is of the pairs."""
    values = np.arange(999.0)
    (found,) = bootstrap_intervals(values, values + 3, falls=1, confidences=SURE)
    (low,) = bootstrap_intervals(values, values + 3, falls=-1, confidences=SURE)

    assert ((24.0, 974.0), (27.0, 977.0), (3.0, 3.0)) == (found.value, found.reference, found.drop)
    assert (-3.0, -3.0) == low.drop


def test_resamples_without_a_value_are_left_out_but_not_most_of_them():
    """A resample of identical samples has no noise; where most have none, nothing is known."""
    some, most = np.arange(100.0), np.arange(100.0)
    some[:10], most[:60] = math.inf, math.nan

    assert bootstrap_intervals(some, None, falls=1, confidences=(0.9,))
    assert () == bootstrap_intervals(most, None, falls=1, confidences=(0.9,))


def test_the_interval_of_a_mean_is_the_textbooks():
    """1000 resamples of 400 normal values: ±1.96 / √400, within a tenth."""
    values = np.random.default_rng(0).normal(size=400)
    (draws,) = draw_samples(400, 1000)
    (found,) = bootstrap_intervals(values[draws].mean(axis=1), None, falls=1, confidences=SURE)

    assert 2 * 1.96 / 20 == pytest.approx(found.value[1] - found.value[0], rel=0.1)


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_shares_have_wilsons_interval(hits, count, low, high):
    """Examples of Newcombe, Statistics in Medicine 17 (1998), table I: method 3."""
    found = shares([1] * hits + [0] * (count - hits))

    assert (low, high) == pytest.approx(found.value, abs=5e-5)


def test_drops_of_shares_have_tangos_interval():
    """No sample lost of n: ±z²/(n + z²), and not ±0; the sides swapped, the signs are."""
    z2 = 1.959964**2
    none = shares([1] * 800, [1] * 800)
    lost = shares([1] * 83 + [0] * 17, [1] * 95 + [0] * 5)
    gained = shares([1] * 95 + [0] * 5, [1] * 83 + [0] * 17)

    assert (-z2 / (800 + z2), z2 / (800 + z2)) == pytest.approx(none.drop, abs=1e-6)
    assert lost.drop == pytest.approx((-gained.drop[1], -gained.drop[0]))
    assert lost.drop[0] > 0


def test_the_usual_confidence_comes_first():
    """Then what gates ask for, each once."""
    assert (0.95, 0.99) == list_confidences([0.99, 0.95, 0.99])


def test_what_is_close_to_one_keeps_the_digits_of_what_is_missing():
    """A cosine of 1 - 6e-8 is not rounded to 1, past its own interval and past a gate."""
    values = 1 - np.linspace(1e-9, 1e-7, 1000)
    (found,) = bootstrap_intervals(values, None, falls=1, confidences=[0.95])
    low, high = found.value

    assert low < np.median(values) < high < 1
    assert high == pytest.approx(values[24], abs=1e-13)
