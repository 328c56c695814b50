"""Calibrators, and what may stand in their place; the unions are the registry."""

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.calib import auto, cache, entropy, legacy, minmax, mse, percentile

__all__ = ["Calibrator", "RangeSource"]

Calibrator = OneOf[
    """
    minmax.Minmax
    | entropy.Entropy2
    | percentile.Percentile
    | mse.Mse
    | auto.Auto
    | entropy.Entropy
    | legacy.Legacy
    """,
    __name__,
]
"""What finds a tensor's range in its values on the calibration data."""

RangeSource = OneOf["Calibrator | cache.Cache", __name__]
"""A calibrator, or what knows the ranges without data."""
