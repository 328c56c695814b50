"""What a layer reads and makes, summed up."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.measure.layer_use import OperandCount, OwnError


def test_levels_and_clipping_are_counted_over_all_feeds():
    """Three of the levels are taken, of which log2 is the bits; two of eight values are beyond."""
    count = OperandCount("x", 1.27)
    count.add(np.array([0, 0.01, 9, 0], np.float32), np.array([0, 1, 127, 0], np.int8))
    count.add(np.array([0, -9, 0, 0], np.float32), np.array([0, -128, 0, 0], np.int8))
    use = count.measure()

    assert (4, 2.0, 0.25, 9.0) == (use.levels, use.bits, use.clipped, use.largest)


def test_own_error_is_over_all_feeds():
    """A hundredth of the amplitude is 40 dB; without noise there is no number."""
    own = OwnError()
    own.add(1, np.array([3.0]), np.array([3.03]))
    own.add(0, np.array([4.0]), np.array([3.96]))
    none = OwnError()
    none.add(0, np.ones(2), np.ones(2))

    assert 40 == pytest.approx(own.measure())
    assert None is none.measure()


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_squares_of_any_float_are_float64(dtype):
    """Beyond 256, or below 1e-4, those of float16 would be infinite, or nothing."""
    own = OwnError()
    own.add(0, np.array([1000, 0.001], dtype), np.array([1001, 0.001], dtype))
    small = OwnError()
    small.add(0, np.array([2.0**-13], dtype), np.array([2.0**-13 * 1.125], dtype))

    assert 60 == pytest.approx(own.measure(), abs=1e-3)
    assert 20 * np.log10(8) == pytest.approx(small.measure())


def test_what_is_no_number_spoils_nothing():
    """A NaN is passed over, and infinity is as large as JSON allows."""
    count = OperandCount("x", 1.0)
    count.add(np.array([np.nan, np.inf, 0.5], np.float32), None)
    use = count.measure()

    assert (3.4028234663852886e38, 1 / 3) == (use.largest, use.clipped)
    assert (0, 0.0) == (use.levels, use.bits)
