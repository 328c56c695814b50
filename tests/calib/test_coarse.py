"""Histograms reduced to a few bins an octave."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.coarse import make_coarse
from trtbuild.calib.histogram import Histogram
from trtbuild.core.histograms import BINS, PER_OCTAVE


def coarse(values):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return make_coarse({"x": histogram}).tensors["x"]


def test_an_octave_of_a_uniform_tensor_holds_half():
    """The last octave has half of all values, the one before a quarter; none is lost."""
    found = coarse(np.linspace(-1, 1, 100_001))
    octaves = np.reshape(found.counts, (-1, PER_OCTAVE)).sum(axis=1) / found.total

    assert (1.0, 100_001) == (found.largest, found.total)
    assert [0.25, 0.5] == [pytest.approx(share, abs=1e-3) for share in octaves[-2:]]


def test_zeros_and_what_is_tiny_lie_below():
    """The largest value is in the last bin, however large it is."""
    found = coarse([0, 0, 1e-9, -300])

    assert (3, 1) == (found.below, found.counts[BINS - 1])


def test_what_was_not_counted_or_is_zero_has_none():
    """There is nothing to draw."""
    zeros = Histogram()
    zeros.add(np.zeros(3, np.float32))

    assert {} == make_coarse({"x": Histogram(counted=False), "y": zeros}).tensors
