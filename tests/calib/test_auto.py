from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.auto import Auto, _measure_error
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.mse import Mse


def histogram_of(values):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return histogram


def pick(values, **options):
    return Auto(kind="auto", **options).pick(histogram_of(values))


def test_what_quantizes_without_error_is_kept_whole():
    """Of 0 to 127 every value is a step of its own: minmax wins."""
    assert ("minmax", 127.0) == pick(range(128))


def test_a_tail_is_given_up():
    """A few values far out do not cost all the others their resolution."""
    values = np.random.default_rng(0).laplace(size=1 << 20)

    kind, limit = pick(values)

    assert kind != "minmax"
    assert limit < np.abs(values).max() * 0.8


def test_at_power_two_the_limit_is_that_of_mse():
    """Both searches find the least squared error: a few hundredths apart at most."""
    histogram = histogram_of(np.random.default_rng(0).laplace(size=1 << 16))
    errors = [
        _measure_error(histogram, one.limit(histogram), 2.0)
        for one in (Mse(kind="mse"), Auto(kind="auto", power=2.0))
    ]

    assert errors[0] == pytest.approx(errors[1], rel=0.05)


def test_offers_a_limit_of_each_kind():
    """None is above the largest value, and minmax is that."""
    histogram = histogram_of(np.random.default_rng(0).laplace(size=1 << 16))
    offered = Auto(kind="auto").offer(histogram)

    assert set(Auto.KINDS) == set(offered)
    assert histogram.absmax == max(offered.values()) == offered["minmax"]
    assert offered["mse"] < offered["power"] < offered["minmax"]


def test_what_gains_little_clips_nothing():
    """Values between steps of the whole range gain a hundredth by clipping one: noise, no more."""
    values = np.concatenate([np.linspace(0, 1, 1 << 12), [1.02]])
    histogram = histogram_of(values)
    whole, clipped = (_measure_error(histogram, limit, 2.4) for limit in (1.02, 1.0))

    assert 0.98 * whole < clipped < whole
    assert "minmax" == pick(values)[0]
    assert "minmax" != pick(values, margin=0.0)[0]


def test_a_high_power_clips_nothing():
    """Where the worst error is all that counts, the whole range is kept."""
    values = np.random.default_rng(0).standard_normal(1 << 16)

    assert "minmax" == pick(values, power=8.0)[0]


def test_the_limit_is_the_winners():
    """`limit` is the second half of `pick`."""
    values = np.random.default_rng(0).standard_normal(1000)

    assert pick(values)[1] == Auto(kind="auto").limit(histogram_of(values))


@pytest.mark.parametrize("values", [[0.0] * 9, []])
def test_zeros_and_nothing(values):
    """There is nothing to choose: the first wins."""
    assert ("minmax", 0.0) == pick(values)
