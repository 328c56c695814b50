from __future__ import annotations

import numpy as np
import pytest

from trtbuild.quant.limits import scale_of, unusable


@pytest.mark.parametrize("limit", [1e-35, 1.0, 1e38])
def test_an_ordinary_limit_gives_a_positive_normal_scale(limit):
    """TensorRT takes it, and float32 holds it exactly."""
    assert not unusable(limit)
    assert np.float32(scale_of(limit)) == scale_of(limit)


def test_the_scale_is_a_127th():
    """254 / 127."""
    assert 2.0 == scale_of(254.0)


@pytest.mark.parametrize(
    ("limit", "word"), [(0.0, "zero throughout"), (1e-36, "too small"), (1e39, "too large")]
)
def test_a_limit_that_gives_no_scale_says_why(limit, word):
    """Zero, a denormal scale, and what float32 cannot hold."""
    assert word in unusable(limit)
