"""A weight in INT8: symmetric, one scale for each output channel, from its largest values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["QuantizedWeight", "quantize_weight"]

TINY = 1e-6
"""Share of a weight's largest value below which a channel is listed."""


@dataclass(frozen=True)
class QuantizedWeight:
    """A weight's INT8 values and scales, and the channels to be wary of."""

    values: npt.NDArray[np.int8]
    """The weight's own shape; -127 to 127."""
    scales: npt.NDArray[np.float32]
    """Shape [channels]."""
    dead: tuple[int, ...]
    """Channels without a value that a normal float32 scale can represent."""
    tiny: tuple[int, ...]
    """Channels under TINY of the weight's largest value, and not dead."""


def quantize_weight(weight: npt.NDArray[np.float32], axis: int) -> QuantizedWeight:
    """Quantize a weight: q = round_half_even(w / s), s = max|w| / 127 over each index of `axis`.

    This is what a float weight behind QuantizeLinear would become, bit for bit. A dead channel
    gets scale 1 (TensorRT refuses 0, and takes a denormal one without a word) and zeros.

    Raises:
        ValueError: the weight holds a NaN or an infinity.
    """
    import numpy as np

    others = tuple(i for i in range(weight.ndim) if i != axis)
    limits = np.maximum(weight.max(axis=others), -weight.min(axis=others))
    if not np.isfinite(limits).all():
        raise ValueError("holds a NaN or an infinity")
    scales = (limits / np.float32(127)).astype(np.float32)
    dead = scales < np.finfo(np.float32).tiny
    tiny = ~dead & (limits < TINY * limits.max(initial=0))
    scales = np.where(dead, np.float32(1), scales).astype(np.float32)
    along = np.expand_dims(scales, others)
    steps = weight / along
    np.rint(steps, out=steps)
    return QuantizedWeight(steps.astype(np.int8), scales, _where(dead), _where(tiny))


def _where(flags: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    import numpy as np

    return tuple(int(index) for index in np.flatnonzero(flags))
