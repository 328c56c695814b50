from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.helpers.models import model_of
from trtbuild.calib.observe import observing
from trtbuild.calib.peaks import measure_peaks
from trtbuild.model.feeds import Feed


def test_the_largest_of_all_feeds_is_kept():
    """Whatever its sign; an infinity is no peak."""
    model = model_of("g (float[1,2] x) => (float[1,2] y) { y = Log(x) }")
    values = [[[1, np.e]], [[0, 1]], [[np.exp(-3), 1]]]
    feeds = [
        Feed(arrays={"x": np.array(each, np.float32)}, samples=(str(index),))
        for index, each in enumerate(values)
    ]
    told = []
    with observing(model, ["x", "y"], folder=Path()) as (observer, _):
        found, samples = measure_peaks(observer, feeds, progress=told.append)

    assert (3, [1, 2, 3]) == (samples, told)
    assert {"x": 2.718, "y": 3.0} == {name: round(each, 3) for name, each in found.items()}
