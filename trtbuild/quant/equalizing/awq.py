"""Factors with which weights of few bits lose least of what their layers make, by a search.

After Lin et al. 2023 (AWQ, arXiv:2306.00978): input channels with large activations are multiplied
before the weight is rounded, and divided where they come from, so that what matters most is rounded
most finely. How far is searched for each activation, and judged by the outputs of its readers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from trtbuild.core.quantized_types import QuantizedType
from trtbuild.model.folding import fold_value
from trtbuild.model.view import GraphView, read_ints
from trtbuild.quant.equalizing.balances import Balance
from trtbuild.quant.writing.blocks import quantize_blocks
from trtbuild.quant.writing.weights import WeightScaling, quantize_weight

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["Found", "Seen", "make_rounding", "search_balance", "search_factors"]

FARTHEST = 2.0**6
"""The largest factor."""


class Seen:
    """What samples show of an activation [..., K], summed as they come."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.count = 0
        self.sizes: Array | None = None
        """Sum of |x| by channel: [K]."""
        self.moments: Array | None = None
        """Sum of x·xᵀ: [K, K]. With it an output's squared error is known for any weight."""

    def add(self, values: Array) -> None:
        """Add the values of one run; channels are on the last axis."""
        import numpy as np

        rows = values.reshape(-1, values.shape[-1]).astype(np.float64)
        sizes, moments = np.abs(rows).sum(axis=0), rows.T @ rows
        self.count += len(rows)
        self.sizes = sizes if self.sizes is None else self.sizes + sizes
        self.moments = moments if self.moments is None else self.moments + moments


class Found(NamedTuple):
    """What a search chose for one activation."""

    factors: Array
    """By channel: weights are multiplied by them, what comes before is divided."""
    alpha: float
    gain_db: float
    """By how much less the readers' outputs are off than without, in dB."""


def search_factors(
    weights: Sequence[Array], seen: Seen, round_weight: Callable[[Array], Array], steps: int
) -> Found:
    """Return the factors mean|x|^alpha with the least error of the outputs, alpha from 0 to 1.

    The error is Σ tr(Δᵀ·M·Δ), Δ = Q(W·f)/f - W, over the weights W [K, N] that read the activation,
    M its moments: the squared error of what they make of all samples. With alpha 0 factors are 1,
    so that nothing is ever worse by this measure than left alone.

    Args:
        weights: as the products have them, inputs first: [K, N].
        seen: what data shows of the activation.
        round_weight: quantizes [K, N] and returns the values that this means.
        steps: how many alphas above 0 are tried.
    """
    import numpy as np

    assert seen.sizes is not None  # noqa: S101  # samples have been added
    sizes = seen.sizes / max(1, seen.count)
    alive = sizes > 0
    mean = np.exp(np.log(sizes[alive]).mean()) if alive.any() else 1.0
    relative = np.where(alive, sizes / mean, 1.0)
    tried = []
    for step in range(steps + 1):
        factors = np.clip(relative ** (step / steps), 1 / FARTHEST, FARTHEST)
        off = sum(_measure_error(each, factors, seen, round_weight) for each in weights)
        tried.append((off, step / steps, factors))
    plain, least = tried[0], min(tried, key=lambda each: (each[0], each[1]))
    gain = 10 * np.log10(plain[0] / least[0]) if least[0] else 0.0
    return Found(least[2], least[1], float(gain))


def search_balance(
    view: GraphView,
    balance: Balance,
    seen: Seen,
    round_weight: Callable[[Array], Array],
    steps: int,
) -> Found:
    """Search the factors of an activation that Gemms and MatMuls alone read."""
    weights = []
    for index, slot in balance.readers:
        node = view.nodes[index]
        held = fold_value(view, node.input[slot])
        turned = node.op_type == "Gemm" and (read_ints(node, "transB") or (0,)) != (0,)
        weights.append(held.T if turned else held)
    return search_factors(weights, seen, round_weight, steps)


def make_rounding(
    into: QuantizedType, block: int | None, scaling: WeightScaling | None
) -> Callable[[Array], Array]:
    """Return what rounds a weight [K, N] as it will be stored, and reads it again.

    Weights whose inputs are no whole blocks stay as they are.
    """
    import numpy as np

    def round_weight(weight: Array) -> Array:
        if block is None:
            found = quantize_weight(weight, 1, scaling, into=into)
            return found.values.astype(np.float32) * found.scales
        if len(weight) % block:
            return weight
        found = quantize_blocks(weight, 0, block, scaling, into=into)
        return found.values.astype(np.float32) * np.repeat(found.scales, block, axis=0)

    return round_weight


def _measure_error(
    weight: Array, factors: Array, seen: Seen, round_weight: Callable[[Array], Array]
) -> float:
    import numpy as np

    assert seen.moments is not None  # noqa: S101  # samples have been added
    scaled = (weight * factors[:, None]).astype(np.float32)
    off = round_weight(scaled).astype(np.float64) / factors[:, None] - weight
    return float(np.einsum("kn,kn->", off, seen.moments @ off))
