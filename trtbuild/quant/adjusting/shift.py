"""The shift of a layer's output: what quantization adds to it in the mean, channel by channel.

Added to the bias it is taken away (Nagel et al. 2019, arXiv:1906.04721).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]

__all__ = ["Shift", "measure_shift"]


class Shift(NamedTuple):
    """Means over all places of a layer's output, by channel."""

    missing: Floats
    """What the float model makes more than the quantized one."""
    error: Floats
    """The square of the difference."""
    deviation: Floats
    """Of what the float model makes."""


def measure_shift(pairs: Iterable[tuple[Array, Array]], axis: int) -> Shift | None:
    """Compare what the float and the quantized model make, channels along an axis.

    None where they make nothing, or something that is not finite.
    """
    import numpy as np

    count, sums = 0, np.zeros(())
    for exact, quantized in pairs:
        made = np.moveaxis(exact.astype(np.float64), axis, 0).reshape(exact.shape[axis], -1)
        other = np.moveaxis(quantized.astype(np.float64), axis, 0).reshape(made.shape)
        lost = made - other
        parts = (lost, lost * lost, made, made * made)
        sums = sums + np.stack([part.sum(axis=1) for part in parts])
        count += made.shape[1]
    if not count or not np.isfinite(sums).all():
        return None
    missing, error, mean, power = sums / count
    return Shift(missing, error, np.sqrt(np.maximum(power - mean * mean, 0)))
