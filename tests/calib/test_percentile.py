from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.count import BINS
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.percentile import Percentile


def limit(values, percentile):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return Percentile(kind="percentile", percentile=percentile).limit(histogram)


@pytest.mark.parametrize(("percentile", "expected"), [(99.99, 9999), (99.0, 9900), (50.01, 5001)])
def test_leaves_the_share_above_it(percentile, expected):
    """Of 1 to 10 000, p percent are at or below the limit, to within one bin."""
    found = limit(np.arange(1, 10_001), percentile)

    assert expected == pytest.approx(found, abs=10_000 * 2 / BINS)
    assert found >= expected


def test_one_hundred_clips_nothing():
    """The 100th percentile is the largest absolute value, exactly."""
    assert 7.3 == pytest.approx(limit([-7.3, 0.1, 5], 100.0), rel=1e-7)


def test_constants_and_nothing():
    """A constant keeps its value; zeros and nothing have no range."""
    assert [3.0, 0.0, 0.0] == [limit([3.0] * 9, 99.0), limit([0.0], 99.0), limit([], 99.0)]
