"""What narrower ranges cut off."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.histogram import Histogram
from trtbuild.calib.tails import make_tails


def tail_of(values):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return make_tails({"x": histogram}).tensors["x"]


def test_half_of_a_uniform_tensor_lies_above_half_of_its_limit():
    """And ∫(x - 1/2)² above it is an eighth of ∫x²: 9 dB."""
    share, decibels = tail_of(np.linspace(0, 1, 100001)).cut(0.5)

    assert (0.5, 9.03) == (pytest.approx(share, abs=1e-3), pytest.approx(decibels, abs=0.02))


def test_nothing_is_cut_off_where_all_fits():
    """And nothing is known of a limit of zero."""
    assert [None, None, None] == [tail_of([1, 2]).cut(limit) for limit in (2.0, 3.0, 0.0)]


def test_what_was_not_counted_or_is_zero_has_no_tail():
    """Of minmax only the ends are known."""
    bare = Histogram(counted=False)
    bare.add(np.ones(3, np.float32))
    zero = Histogram()
    zero.add(np.zeros(3, np.float32))

    assert {} == make_tails({"a": bare, "b": zero}).tensors


def test_a_limit_just_below_the_largest_value_costs_next_to_nothing():
    """White pixels end a hair above what was written down; a tenth less loses a tenth of each."""
    tail = tail_of([1.0] * 50 + [2.64] * 50)

    _, hair = tail.cut(2.6399)
    _, tenth = tail.cut(0.9 * 2.64)

    assert hair > 80
    assert 20 - 10 * np.log10(1 + 1 / 2.64**2) - tenth == pytest.approx(0, abs=1.2)
