"""A weight in INT8: symmetric, one scale for each output channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from pydantic import Field

from trtbuild.core.options import Options

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Absmax", "Mse", "QuantizedWeight", "WeightScaling", "quantize_weight"]

TINY = 1e-6
"""Share of a weight's largest value below which a channel is listed."""


class WeightScaling(Protocol):
    """How the limit of a channel is found."""

    def limits(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return for each row of weights the value that becomes 127."""


class Absmax(Options):
    """The largest absolute value of a channel becomes 127: nothing is clipped."""

    kind: Literal["absmax"] = "absmax"

    def limits(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return max|w| of each row."""
        import numpy as np

        return np.maximum(rows.max(axis=1), -rows.min(axis=1))  # type: ignore[no-any-return]


class Mse(Options):
    """The limit of a channel whose rounding and clipping errors have the least square sum."""

    kind: Literal["mse"] = "mse"
    steps: Annotated[int, Field(ge=1, le=1000)] = 24
    """How many limits are tried below the largest absolute value, itself included."""
    lowest: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The least limit tried, as a share of the largest absolute value."""

    def limits(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return for each row the limit t with the least Σ(w - s·clip(round(w / s)))², s = t / 127.

        The limits tried are equally spaced; of equally good ones the largest is taken.
        """
        import numpy as np

        largest = Absmax().limits(rows)
        best, least = largest.copy(), np.full(len(rows), np.inf)
        for share in np.linspace(1, self.lowest, self.steps, dtype=np.float32):
            errors = _errors(rows, largest, share)
            better = errors < least
            best[better], least[better] = (largest * share)[better], errors[better]
        return best


def _errors(
    rows: npt.NDArray[np.float32], largest: npt.NDArray[np.float32], share: np.float32
) -> npt.NDArray[np.float64]:
    import numpy as np

    # In units of the largest value's 127th, where the square of no weight vanishes in float32.
    units = np.maximum(largest / np.float32(127), np.finfo(np.float32).tiny)[:, None]
    exact = rows / units
    steps = exact / share
    np.rint(steps, out=steps)
    np.clip(steps, -127, 127, out=steps)
    steps *= share
    steps -= exact
    return np.einsum("ij,ij->i", steps, steps, dtype=np.float64)  # type: ignore[no-any-return]


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


def quantize_weight(
    weight: npt.NDArray[np.float32], axis: int, scaling: WeightScaling | None = None
) -> QuantizedWeight:
    """Quantize a weight: q = round_half_even(w / s), s = limit / 127 over each index of `axis`.

    Limits are max|w| unless a scaling says otherwise; what lies beyond them becomes ±127. Without
    clipping this is what a float weight behind QuantizeLinear would become, bit for bit. A dead
    channel gets scale 1 (TensorRT refuses 0, and takes a denormal one without a word) and zeros.

    Raises:
        ValueError: the weight holds a NaN or an infinity.
    """
    import numpy as np

    rows = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    largest = Absmax().limits(rows)
    if not np.isfinite(largest).all():
        raise ValueError("holds a NaN or an infinity")
    limits = largest if scaling is None else scaling.limits(rows)
    scales = (limits / np.float32(127)).astype(np.float32)
    dead = scales < np.finfo(np.float32).tiny
    tiny = ~dead & (largest < TINY * largest.max(initial=0))
    scales = np.where(dead, np.float32(1), scales).astype(np.float32)
    others = tuple(i for i in range(weight.ndim) if i != axis)
    steps = weight / np.expand_dims(scales, others)
    np.rint(steps, out=steps)
    np.clip(steps, -127, 127, out=steps)
    return QuantizedWeight(steps.astype(np.int8), scales, _where(dead), _where(tiny))


def _where(flags: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    import numpy as np

    return tuple(int(index) for index in np.flatnonzero(flags))
