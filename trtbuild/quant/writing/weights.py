"""A weight in a quantized type: symmetric, one scale for each output channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from pydantic import Field

from trtbuild.core.frozen import frozen
from trtbuild.core.options import Options
from trtbuild.core.quantized_types import INT8, QuantizedType
from trtbuild.quant.half_types import HalfType, round_up

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["QuantizedWeight", "WeightScaling", "WeightsAbsmax", "WeightsMse", "quantize_weight"]

TINY = 1e-6
"""Share of a weight's largest value below which a channel is listed."""


CACHED = 2**16
"""How many weights a search looks at together: they and two copies fit the processor's cache."""


class WeightScaling(Protocol):
    """How the limit of a channel is found."""

    def limits(
        self, rows: npt.NDArray[np.float32], into: QuantizedType = INT8
    ) -> npt.NDArray[np.float32]:
        """Return for each row of weights the value that becomes the type's largest number."""


class WeightsAbsmax(Options):
    """Keep the largest absolute value of each channel: nothing is clipped."""

    kind: Literal["absmax"]

    def limits(
        self,
        rows: npt.NDArray[np.float32],
        into: QuantizedType = INT8,  # noqa: ARG002  # the largest is the largest in each
    ) -> npt.NDArray[np.float32]:
        """Return max|w| of each row."""
        import numpy as np

        return np.maximum(rows.max(axis=1), -rows.min(axis=1))  # type: ignore[no-any-return]


class WeightsMse(Options):
    """Clip each channel where the squared error of rounding and clipping it is least."""

    kind: Literal["mse"]
    steps: Annotated[int, Field(ge=1, le=1000)] = 24
    """How many limits are tried, the largest absolute value among them; more find finer limits."""
    lowest: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The least limit tried, as a share of the largest absolute value."""

    def limits(
        self, rows: npt.NDArray[np.float32], into: QuantizedType = INT8
    ) -> npt.NDArray[np.float32]:
        """Return for each row the limit t with the least Σ(w - s·Q(w / s))²; of INT8, s = t / 127.

        The limits tried lie closer together towards the largest value, where a small step may
        already put many weights on better grid points; of equally good ones the largest is taken.
        """
        import numpy as np

        largest = WeightsAbsmax(kind="absmax").limits(rows)
        lower = np.linspace(0, 1, self.steps) ** 2 * (1 - self.lowest)
        shares = (1 - lower).astype(np.float32)
        at_once = max(1, CACHED // max(1, rows.shape[1]))
        best = np.concatenate(
            [
                _best_shares(
                    rows[start : start + at_once], largest[start : start + at_once], shares, into
                )
                for start in range(0, len(rows), at_once)
            ]
        )
        return largest * best  # type: ignore[no-any-return]


def _best_shares(
    rows: npt.NDArray[np.float32],
    largest: npt.NDArray[np.float32],
    shares: npt.NDArray[np.float32],
    into: QuantizedType,
) -> npt.NDArray[np.float32]:
    """Return for each row the share of its largest value that makes the least error."""
    import numpy as np

    # In units of the largest value's 127th (of INT8), where no square vanishes in float32.
    units = np.maximum(largest / np.float32(into.largest), np.finfo(np.float32).tiny)[:, None]
    exact = rows / units
    best = np.ones(len(rows), np.float32)
    least = np.full(len(rows), np.inf, np.float32)
    errors = np.empty_like(exact)
    for share in shares:
        np.divide(exact, share, out=errors)
        into.round(errors)
        errors *= share
        errors -= exact
        # NumPy sums pairwise, in one order on every processor; einsum and dot do not.
        total = np.square(errors, out=errors).sum(axis=1)
        better = total < least
        best[better], least[better] = share, total[better]
    return best


@frozen
class QuantizedWeight:
    """A weight's numbers and scales, and the channels to be wary of."""

    values: npt.NDArray[np.generic]
    """The weight's own shape; of INT8 -127 to 127, of FP8 -448 to 448."""
    scales: npt.NDArray[np.float32]
    """Shape [channels]."""
    dead: tuple[int, ...]
    """Channels without a value that a normal float32 scale can represent."""
    tiny: tuple[int, ...]
    """Channels under TINY of the weight's largest value, and not dead."""


def quantize_weight(
    weight: npt.NDArray[np.float32],
    axis: int,
    scaling: WeightScaling | None = None,
    *,
    half: HalfType | None = None,
    into: QuantizedType = INT8,
) -> QuantizedWeight:
    """Quantize a weight: q = round_half_even(w / s), s = limit / 127 over each index of `axis`.

    That is INT8; of another type, 127 is its largest number, and rounding is to its numbers.

    Limits are max|w| unless a scaling says otherwise; what lies beyond them becomes ±127. Without
    clipping this is what a float weight behind QuantizeLinear would become, bit for bit. A dead
    channel gets scale 1 (TensorRT refuses 0, and takes a denormal one without a word) and zeros.
    With `half`, scales are such as that type can hold.

    Raises:
        ValueError: the weight holds a NaN or an infinity.
    """
    import numpy as np

    rows = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    largest = WeightsAbsmax(kind="absmax").limits(rows)
    if not np.isfinite(largest).all():
        raise ValueError("holds a NaN or an infinity")
    limits = largest if scaling is None else scaling.limits(rows, into)
    scales = round_up((limits / np.float32(into.largest)).astype(np.float32), half)
    dead = scales < np.finfo(np.float32).tiny
    tiny = ~dead & (largest < TINY * largest.max(initial=0))
    scales = np.where(dead, np.float32(1), scales).astype(np.float32)
    others = tuple(i for i in range(weight.ndim) if i != axis)
    steps = np.divide(weight, np.expand_dims(scales, others), dtype=np.float32)
    return QuantizedWeight(into.encode(steps), scales, _where(dead), _where(tiny))


def _where(flags: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    import numpy as np

    return tuple(int(index) for index in np.flatnonzero(flags))
