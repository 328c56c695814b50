from __future__ import annotations

import numpy as np

from trtbuild.calib.histogram import Histogram
from trtbuild.calib.minmax import Minmax


def test_keeps_the_largest_absolute_value():
    """Minmax clips nothing, on neither side, and needs no counts."""
    histogram = Histogram(counted=Minmax.counts)
    histogram.add(np.asarray([-8.5, 3.0], np.float32))

    assert (False, 8.5) == (Minmax.counts, Minmax(kind="minmax").limit(histogram))
