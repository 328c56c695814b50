from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.histogram import Histogram
from trtbuild.calib.mse import Mse, compute_squared_errors


def histogram_of(values):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return histogram


def limit(values):
    return Mse(kind="mse").limit(histogram_of(values))


def error_of(values, limit, levels=128):
    step = limit / (levels - 1)
    quantized = step * np.minimum(np.round(np.abs(values) / step), levels - 1)
    return ((np.abs(values) - quantized) ** 2).sum()


@pytest.mark.parametrize("levels", [16, 128])
def test_the_error_is_that_of_fake_quantization(levels):
    """The sums over the bins agree with quantizing every value."""
    values = np.random.default_rng(0).laplace(size=20_000).astype(np.float32)
    histogram = histogram_of(values)
    limits = histogram.absmax * np.array([0.1, 0.4, 1.0])

    expected = [error_of(values, a, levels) for a in limits]

    assert expected == pytest.approx(compute_squared_errors(histogram, limits, levels), rel=1e-3)


def test_is_the_least_of_all_limits():
    """No other limit quantizes the values with less error."""
    values = np.random.default_rng(0).standard_normal(1 << 16).astype(np.float32)
    found = limit(values)

    least = min(error_of(values, a) for a in np.linspace(0.5, np.abs(values).max(), 400))

    assert error_of(values, found) <= least * 1.001
    assert 3.5 < found < 4.2


def test_a_lone_outlier_is_clipped():
    """Among a million normal values, one at 200 does not set the scale."""
    values = np.append(np.random.default_rng(0).standard_normal(1 << 20), 200)

    assert limit(values) < 150


def test_a_uniform_distribution_is_not_clipped():
    """Clipping gains less in the steps than it loses at the end."""
    assert 5.0 == pytest.approx(limit(np.linspace(-5, 5, 1 << 20)), rel=0.005)


def test_constants_and_nothing():
    """A constant keeps its value, to within a bin; zeros and nothing have no range."""
    assert 3.0 == pytest.approx(limit([3.0] * 9), rel=1e-3)
    assert [0.0, 0.0] == [limit([0.0] * 9), limit([])]
