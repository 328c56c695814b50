"""Samples that a metric can say nothing of."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.measure.spoilt import find_spoilt


@pytest.mark.parametrize(
    ("told", "value", "ranks"),
    [
        ("the candidate's `y` holds NaN", np.nan, True),
        ("the candidate's `y` holds NaN", np.nan, False),
        ("the candidate's `y` holds infinite values", np.inf, False),
        ("", -np.inf, True),
        ("", 1e38, False),
    ],
)
def test_what_spoils_an_output_is_told(told, value, ranks):
    """Of those that are read alone; whole numbers hold neither."""
    rows = {"y": np.array([0, value], np.float32), "n": np.array([1, 2])}
    found = find_spoilt("candidate", rows)

    assert told == found.explain(["n", "y"], ranks=ranks)
    assert not found.explain(["n", "z"], ranks=ranks)
