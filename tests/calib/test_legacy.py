from __future__ import annotations

import numpy as np
import pytest

from trtbuild.calib.count import BINS
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.legacy import Legacy


def limit(values, **options):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return Legacy(kind="legacy", **options).limit(histogram)


def test_is_a_fraction_of_a_quantile():
    """Of 1 to 10 000, half of the 0.99 quantile is 4950, to within half a bin."""
    found = limit(np.arange(1, 10_001), quantile=0.99, regression_cutoff=0.5)

    assert 4950 == pytest.approx(found, abs=10_000 / BINS)


def test_defaults_are_a_percentile():
    """With the cutoff at 1 it is the 99.99th percentile."""
    assert 9999 == pytest.approx(limit(np.arange(1, 10_001)), abs=1)


def test_constants_and_nothing():
    """A constant keeps its value; zeros and nothing have no range."""
    assert [3.0, 0.0, 0.0] == [limit([3.0] * 9), limit([0.0]), limit([])]
