"""Equalize a float model: it computes what it did, and its activations suit INT8 better.

Nagel et al. 2019 (arXiv:1906.04721) do so between layers, Xiao et al. 2022 (arXiv:2211.10438)
behind normalizations. Both balance what the channels of an activation span, which share one scale,
against what they weigh in the weights that read them. Weights have a scale for each output, so that
only their inputs compete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.core.options import Options
from trtbuild.model.editor import Editor
from trtbuild.model.folding import fold_value
from trtbuild.model.view import GraphView, Site, read_ints
from trtbuild.quant.axes import find_operand_axis
from trtbuild.quant.equalizing.awq import Found
from trtbuild.quant.equalizing.balances import Balance, find_balances, find_multiplied
from trtbuild.quant.equalizing.kinds import Awq, CrossLayer, Smooth

if TYPE_CHECKING:
    import numpy.typing as npt
    import onnx

    Array = npt.NDArray[Any]

__all__ = [
    "EqualizationAccount",
    "EqualizedTensor",
    "choose_balances",
    "choose_searched",
    "equalize",
]

WORTH_A_MUL_DB = 0.5
"""By so much less what reads an activation must be off, for a Mul in front of it."""
FARTHEST = 2.0**10
"""The largest factor: a channel that is all but dead is not blown up to the size of the others."""


class EqualizedTensor(Options):
    """An activation whose channels were brought nearer to one size."""

    name: str
    by: str
    """The kind of equalization that did it."""
    channels: int
    spread_before: float
    """The largest channel's peak over the geometric mean of all that are not dead."""
    spread_after: float
    alpha: float | None = None
    """The power that a search took; None where there was none."""
    gain_db: float | None = None
    """By how much less what reads it is off for that."""
    inserted: bool = False
    """Whether a Mul of its own divides it, which the engine computes."""


class EqualizationAccount(Options):
    """`equalization.json`: what was equalized, in the order of the model."""

    tensors: tuple[EqualizedTensor, ...]


def choose_balances(
    view: GraphView, asked: Iterable[CrossLayer | Smooth | Awq]
) -> list[tuple[Balance, float]]:
    """Return what of a model can be balanced as asked, and the alpha of each."""
    alphas = {each.kind: each.alpha for each in asked if each.kind != "awq"}
    return [(each, alphas[each.kind]) for each in find_balances(view) if each.kind in alphas]


def choose_searched(view: GraphView, taken: Iterable[Balance], *, inserting: bool) -> list[Balance]:
    """Return what can be balanced in front of Gemms and MatMuls alone, but for what is taken.

    Where something else is in the way, that is by `inserting` a Mul.
    """
    known = {each.tensor for each in taken}
    between = [
        each
        for each in find_balances(view)
        if each.tensor not in known
        and all(view.nodes[index].op_type in {"Gemm", "MatMul"} for index, _ in each.readers)
        and all(len(view.dims(view.nodes[i].input[slot]) or ()) == 2 for i, slot in each.readers)  # noqa: PLR2004
    ]
    known |= {each.tensor for each in between}
    others = find_multiplied(view) if inserting else ()
    return [*between, *(each for each in others if each.tensor not in known)]


def equalize(
    model: onnx.ModelProto,
    balances: Sequence[tuple[Balance, float]],
    peaks: Mapping[str, Array],
    searched: Mapping[str, Found] | None = None,
) -> EqualizationAccount:
    """Scale channels, in place; `peaks` are the largest |x| of each channel, by tensor.

    Of tensors that were `searched`, the factors are those found.
    """
    import numpy as np

    editor = Editor(model)
    view = editor.view
    changed: dict[Site, Array] = {}
    told = []

    def value(site: Site) -> Array:
        index, slot = site
        return changed[site] if site in changed else fold_value(view, view.nodes[index].input[slot])

    for balance, alpha in balances:
        peak = peaks[balance.tensor].astype(np.float64)
        best = (searched or {}).get(balance.tensor)
        if not balance.sources and (best is None or best.gain_db < WORTH_A_MUL_DB):
            continue
        if best is None:
            weights = [value(site) for site in balance.readers]
            factors = _choose_factors(view, balance, alpha, peak, weights)
        else:
            factors = best.factors
        for site in balance.sources:
            changed[site] = _apply(value(site), 1 / _spread_source(view, balance, site, factors))
        for site in balance.readers:
            changed[site] = _apply(value(site), _spread_reader(view, site, factors))
        if not balance.sources:
            _insert(editor, balance, factors)
        told.append(_account_for(balance, peak, factors, best))
    for (index, slot), values in changed.items():
        name = view.nodes[index].input[slot]
        editor.read((index, slot), editor.constant(f"{name}_equalized", values))
    editor.finish()
    return EqualizationAccount(tensors=tuple(told))


def _account_for(
    balance: Balance, peak: Array, factors: Array, best: Found | None
) -> EqualizedTensor:
    return EqualizedTensor(
        name=balance.tensor,
        by=balance.kind if best is None else "awq",
        channels=balance.channels,
        spread_before=_measure_spread(peak),
        spread_after=_measure_spread(peak / factors),
        alpha=None if best is None else best.alpha,
        gain_db=None if best is None else round(best.gain_db, 2),
        inserted=not balance.sources,
    )


def _insert(editor: Editor, balance: Balance, factors: Array) -> None:
    """Put a Mul that divides an activation in front of what reads it and is multiplied."""
    import numpy as np

    name = balance.tensor
    divisors = editor.constant(f"{name}_divided", (1 / factors).astype(np.float32))
    first = min(index for index, _ in balance.readers)
    made = editor.node_before(first, "Mul", f"{name}_divide", [name, divisors], f"{name}_balanced")
    for index, _ in balance.readers:
        editor.read((index, 0), made)


def _apply(values: Array, factors: Array) -> Array:
    import numpy as np

    return (values.astype(np.float64) * factors).astype(np.float32)


def _choose_factors(
    view: GraphView, balance: Balance, alpha: float, peak: Array, weights: Sequence[Array]
) -> Array:
    """Return peak^alpha / weight^(1 - alpha) of each channel, 1 in the geometric mean.

    A channel's weight is its largest share of an output's largest weight. Where each output reads
    one channel (depthwise), no channels compete in the weights, and only peaks count.
    """
    import numpy as np

    found = np.zeros(balance.channels)
    free = True
    for site, weight in zip(balance.readers, weights, strict=True):
        node = view.nodes[site[0]]
        groups = (read_ints(node, "group") or (1,))[0]
        if node.op_type == "Conv" and groups == balance.channels:
            continue
        free = False
        axis = find_operand_axis(view, node, 1) or 0
        size = np.abs(weight.astype(np.float64))
        whole = size.max(axis=tuple(i for i in range(size.ndim) if i != axis), keepdims=True)
        places = _spread_reader(view, site, np.arange(balance.channels))
        places = np.broadcast_to(places, size.shape).astype(np.int64)
        np.maximum.at(found, places, size / np.where(whole > 0, whole, 1))
    alive = (peak > 0) & ((found > 0) | free)
    factors = np.ones(balance.channels)
    if free:
        factors[alive] = peak[alive]
    else:
        factors[alive] = peak[alive] ** alpha / found[alive] ** (1 - alpha)
    if alive.any():
        factors[alive] /= np.exp(np.log(factors[alive]).mean())
    return np.clip(factors, 1 / FARTHEST, FARTHEST)


def _spread_source(view: GraphView, balance: Balance, site: Site, factors: Array) -> Array:
    """Lay factors of output channels along a constant."""
    import numpy as np

    index, slot = site
    node = view.nodes[index]
    if node.op_type in {"Add", "Mul"}:
        return factors.reshape(-1, *[1] * (balance.rank - 1 - balance.axis))
    rank = len(view.dims(node.input[slot]) or ())
    if slot == 1 and node.op_type == "Conv":
        return factors.reshape(-1, *[1] * (rank - 1))
    if slot == 1 and node.op_type == "ConvTranspose":
        groups = (read_ints(node, "group") or (1,))[0]
        inputs = (view.dims(node.input[1]) or (1,))[0] or 1
        laid = np.repeat(factors.reshape(groups, -1), inputs // groups, axis=0)
        return laid.reshape(*laid.shape, *[1] * (rank - 2))
    if slot == 1 and node.op_type == "Gemm" and (read_ints(node, "transB") or (0,)) != (0,):
        return factors[:, None]
    return factors


def _spread_reader(view: GraphView, site: Site, factors: Array) -> Array:
    """Lay factors of input channels along a weight."""
    import numpy as np

    node = view.nodes[site[0]]
    dims = view.dims(node.input[1]) or ()
    if node.op_type == "Conv":
        groups = (read_ints(node, "group") or (1,))[0]
        laid = np.repeat(factors.reshape(groups, -1), (dims[0] or 1) // groups, axis=0)
        return laid.reshape(*laid.shape, *[1] * (len(dims) - 2))
    if node.op_type == "ConvTranspose":
        return factors.reshape(-1, *[1] * (len(dims) - 1))
    if node.op_type == "Gemm" and (read_ints(node, "transB") or (0,)) != (0,):
        return factors
    return factors[:, None]


def _measure_spread(peak: Array) -> float:
    import numpy as np

    alive = peak[peak > 0]
    if not alive.size:
        return 1.0
    return round(float(alive.max() / np.exp(np.log(alive).mean())), 3)


def measure_channels(
    peaks: dict[str, Array], values: Iterable[tuple[str, Array]], axes: Mapping[str, int]
) -> None:
    """Raise the largest |x| of each channel to what one run shows."""
    import numpy as np

    for name, found in values:
        others = tuple(axis for axis in range(found.ndim) if axis != axes[name])
        largest = np.abs(found).max(axis=others, initial=0)
        peaks[name] = np.maximum(peaks[name], largest) if name in peaks else largest


def measure_change(
    before: Mapping[str, Array], after: Mapping[str, Array]
) -> Iterator[tuple[str, float]]:
    """Yield for each output of floats how far it moved, against its own root mean square."""
    import numpy as np

    for name, values in before.items():
        if values.dtype.kind == "f" and values.size:
            exact = values.astype(np.float64)
            moved = np.square(after[name] - exact).mean()
            yield name, float(np.sqrt(moved / max(float(np.square(exact).mean()), 1e-30)))
