"""Which ranges give a scale that TensorRT takes, and the scale they give."""

from __future__ import annotations

from trtbuild.core.quantized_types import INT8, QuantizedType
from trtbuild.quant.half_types import HalfType, round_up

__all__ = ["LARGEST", "SMALLEST", "compute_scale", "explain_unusable"]

SMALLEST = 1.1754943508222875e-38
"""The smallest normal float32: TensorRT takes a denormal scale without a word, and ruins by it."""

LARGEST = 3.4028234663852886e38
"""The largest float32."""


COARSE = 1.25
"""How much larger than exact a 16-bit scale may be: a third of a bit of INT8 is lost then."""


def explain_unusable(limit: float, half: HalfType | None = None, into: QuantizedType = INT8) -> str:
    """Say why a range with this limit gives no scale (in a 16-bit type); nothing if it gives one.

    A tensor that was zero throughout calibration is not quantized by some neutral scale: what
    else it may hold is not known, so the layer that reads it is left float.
    """
    if limit == 0:
        return "is zero throughout"
    exact = limit / into.largest
    if exact < SMALLEST:
        return f"is too small for a scale (limit {limit:g})"
    if limit > LARGEST:
        return f"is too large for a scale (limit {limit:g})"
    if half is not None and exact > half.largest:
        return f"is too large for a scale in {half.name} (limit {limit:g})"
    if half is not None and compute_scale(limit, half, into) > COARSE * exact:
        return f"is too small for a scale in {half.name} (limit {limit:g})"
    return ""


def compute_scale(limit: float, half: HalfType | None = None, into: QuantizedType = INT8) -> float:
    """Return limit / largest (127 for INT8, 448 for FP8) as the nearest float32.

    Or as the next value that a 16-bit type can hold.
    """
    import numpy as np

    return float(round_up(np.array([limit / into.largest], np.float32), half)[0])
