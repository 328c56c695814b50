"""What a layer reads and makes, summed up sample by sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trtbuild.core.sensitivity import OperandUse

if TYPE_CHECKING:
    import numpy as np

__all__ = ["OperandCount", "OwnError"]

LARGEST = 3.4028234663852886e38
"""The largest float32: JSON has no infinity."""


class OwnError:
    """Signal over noise of a layer's own output."""

    def __init__(self) -> None:
        self._sums: dict[int, tuple[float, ...]] = {}

    def add(self, index: int, exact: np.ndarray, quantized: np.ndarray) -> None:
        """Add what the layer made of one feed: arrays of one shape, of floats of any width."""
        import numpy as np

        noise = np.subtract(exact, quantized, dtype=np.float64)
        self._sums[index] = tuple(
            float(np.square(each, dtype=np.float64).sum()) for each in (exact, noise)
        )

    def measure(self) -> float | None:
        """Return it in dB; None where there is no noise, no signal, or a value that is none."""
        sums = [self._sums[index] for index in sorted(self._sums)]
        if not all(math.isfinite(value) for pair in sums for value in pair):
            return None
        signal, noise = (
            (math.fsum(column) for column in zip(*sums, strict=True)) if sums else (0, 0)
        )
        return 10 * (math.log10(signal) - math.log10(noise)) if signal and noise else None


class OperandCount:
    """How the values of an activation lie in its INT8 range."""

    def __init__(self, tensor: str, limit: float) -> None:
        import numpy as np

        self._tensor = tensor
        self._limit = limit
        self._largest = 0.0
        self._beyond = 0
        self._total = 0
        self._levels = np.zeros(256, bool)

    def add(self, values: np.ndarray, integers: np.ndarray | None) -> None:
        """Add the values of one feed, and what became of them, where that is to be counted too."""
        import numpy as np

        if values.size:
            low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
            largest = float(max(-low, high))
            self._largest = max(self._largest, min(largest, LARGEST))
            if largest > self._limit:
                self._beyond += int((values > self._limit).sum() + (values < -self._limit).sum())
        self._total += values.size
        if integers is not None:
            self._levels |= np.bincount(integers.reshape(-1).view(np.uint8), minlength=256) > 0

    def measure(self) -> OperandUse:
        """Return what was counted."""
        levels = int(self._levels.sum())
        return OperandUse(
            tensor=self._tensor,
            limit=self._limit,
            largest=self._largest,
            clipped=self._beyond / max(1, self._total),
            levels=levels,
            bits=math.log2(levels) if levels else 0.0,
        )
