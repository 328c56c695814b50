"""Which ranges give a scale that TensorRT takes, and the scale they give."""

from __future__ import annotations

from trtbuild.quant.half_types import HalfType, round_up

__all__ = ["LARGEST", "SMALLEST", "compute_scale", "explain_unusable"]

SMALLEST = 1.1754943508222875e-38
"""The smallest normal float32: TensorRT takes a denormal scale without a word, and ruins by it."""

LARGEST = 3.4028234663852886e38
"""The largest float32."""


COARSE = 1.25
"""How much larger than limit / 127 a 16-bit scale may be: a third of a bit is lost then."""


def explain_unusable(limit: float, half: HalfType | None = None) -> str:
    """Say why a range with this limit gives no scale (in a 16-bit type); nothing if it gives one.

    A tensor that was zero throughout calibration is not quantized by some neutral scale: what
    else it may hold is not known, so the layer that reads it is left float.
    """
    if limit == 0:
        return "is zero throughout"
    if limit / 127 < SMALLEST:
        return f"is too small for a scale (limit {limit:g})"
    if limit > LARGEST:
        return f"is too large for a scale (limit {limit:g})"
    if half is not None and limit / 127 > half.largest:
        return f"is too large for a scale in {half.name} (limit {limit:g})"
    if half is not None and compute_scale(limit, half) > COARSE * limit / 127:
        return f"is too small for a scale in {half.name} (limit {limit:g})"
    return ""


def compute_scale(limit: float, half: HalfType | None = None) -> float:
    """Return limit / 127 as the nearest float32, or as the next that a 16-bit type can hold."""
    import numpy as np

    return float(round_up(np.array([limit / 127], np.float32), half)[0])
