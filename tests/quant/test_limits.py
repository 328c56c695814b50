from __future__ import annotations

import numpy as np
import pytest

from trtbuild.quant.half_types import HALVES
from trtbuild.quant.limits import compute_scale, explain_unusable


@pytest.mark.parametrize("limit", [1e-35, 1.0, 1e38])
def test_an_ordinary_limit_gives_a_positive_normal_scale(limit):
    """TensorRT takes it, and float32 holds it exactly."""
    assert not explain_unusable(limit)
    assert np.float32(compute_scale(limit)) == compute_scale(limit)


def test_the_scale_is_a_127th():
    """254 / 127."""
    assert 2.0 == compute_scale(254.0)


@pytest.mark.parametrize(
    ("limit", "word"), [(0.0, "zero throughout"), (1e-36, "too small"), (1e39, "too large")]
)
def test_a_limit_that_gives_no_scale_says_why(limit, word):
    """Zero, a denormal scale, and what float32 cannot hold."""
    assert word in explain_unusable(limit)


@pytest.mark.parametrize(
    ("half", "limit", "word"),
    [
        ("fp16", 1e-6, "too small for a scale in fp16"),
        ("fp16", 1e-3, ""),
        ("fp16", 127 * 65504.0, ""),
        ("fp16", 1e7, "too large for a scale in fp16"),
        ("bf16", 1e-30, ""),
        ("bf16", 1e38, ""),
    ],
)
def test_a_16_bit_scale_has_less_room(half, limit, word):
    """From 65504 down to where fp16 knows no steps of a third of a bit; bf16 is as wide as fp32."""
    found = explain_unusable(limit, HALVES[half])

    assert word in found
    assert bool(word) == bool(found)
