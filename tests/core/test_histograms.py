"""Coarse histograms: where bins begin, and what a limit leaves."""

from __future__ import annotations

import math

import pytest

from trtbuild.core.histograms import BINS, PER_OCTAVE, ValueCounts


def at(*places, largest=1.0):
    """One value in each of these bins."""
    counts = tuple(places.count(place) for place in range(BINS))
    return ValueCounts(largest=largest, below=0, counts=counts)


def test_bins_halve_towards_zero():
    """The last ends at the largest value; an octave earlier is its half."""
    found = at(largest=8.0)

    assert (8.0, 4.0) == (found.edge(BINS), found.edge(BINS - PER_OCTAVE))
    assert 8.0 / 4096 == found.edge(0)


def test_what_is_beyond_a_limit_is_counted():
    """By the middle of its bin; nothing lies beyond the largest value, or where nothing is."""
    found = at(BINS - 1, BINS - PER_OCTAVE, BINS - 3 * PER_OCTAVE, 0)

    assert [0.0, 0.25, 0.5] == [found.share_above(limit) for limit in (1.0, 0.9, 0.5)]
    assert 0.0 == at().share_above(0.5)


def test_a_uniform_tensor_is_as_noisy_as_its_steps():
    """Signal 1/3, noise step²/12: 20 log10(2 · 127) dB; and 6 dB less for twice the limit."""
    counts = tuple(
        round(1e6 * (2 ** ((k + 1 - BINS) / PER_OCTAVE) - 2 ** ((k - BINS) / PER_OCTAVE)))
        for k in range(BINS)
    )
    found = ValueCounts(largest=1.0, below=0, counts=counts)
    wanted = 20 * math.log10(2 * 127)

    assert wanted == pytest.approx(found.estimate_db(1.0), abs=0.1)
    assert wanted - 6.02 == pytest.approx(found.estimate_db(2.0), abs=0.1)


def test_cutting_off_costs():
    """Half of the only value is lost: the noise is a quarter of the signal, or near it."""
    assert 6.0 == pytest.approx(at(BINS - 1).estimate_db(0.5 * 2 ** (-1 / 8)), abs=0.1)


def test_without_signal_there_is_no_noise():
    """All zeros."""
    assert math.isinf(ValueCounts(largest=1.0, below=9, counts=(0,) * BINS).estimate_db(1.0))
