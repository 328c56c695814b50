"""Tensors that are joined under one scale, though their values are of unlike size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from trtbuild.core.values import Range
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView
from trtbuild.model.weights_file import read_values
from trtbuild.quant.flow import passes
from trtbuild.quant.half_types import QUANTIZED_TYPES

__all__ = [
    "LOST",
    "UnlikeJoin",
    "explain_loss",
    "explain_loss_of_layer",
    "find_unlike_joins",
    "list_joined",
]

LOST = 64.0
"""So many times below the largest of what it is joined with, a tensor keeps one step or two."""
STEPS = 127
MOST_VALUES = 1 << 24
"""A constant that is larger is not looked at."""
_KEEPING = frozenset(
    "Abs AveragePool Cast Ceil Celu Clip Dropout Elu Erf Expand Floor Gather GatherElements "  # noqa: SIM905
    "GatherND Gelu GlobalAveragePool GlobalMaxPool GridSample HardSigmoid HardSwish LeakyRelu "
    "Mish Neg PRelu Pad Relu Resize Round Selu Sigmoid Softplus Softsign Swish Tanh "
    "ThresholdedRelu Tile Upsample".split()
)
"""Operators that make of each value of their first input one as large, or bound it."""
_GATES = frozenset({"HardSigmoid", "Sigmoid"})
"""What a value is multiplied by that was made of it alone: `x * Sigmoid(x)`."""
ALIKE = 2.0
"""Constants that differ by less multiply everything alike, as far as this matters."""


class UnlikeJoin(NamedTuple):
    """A Concat whose inputs have unlike ranges, for what reads it with one scale."""

    node: str
    small: tuple[str, float]
    """The input with the smallest values that are not all zero, and its limit."""
    large: tuple[str, float]
    limit: float
    """Of the one scale, as far as these values fill it: a part that was cut out has less."""

    @property
    def ratio(self) -> float:
        """How many times the scale's limit is that of the smallest."""
        return self.limit / self.small[1]

    def describe(self) -> str:
        """Say what is joined, and what one scale leaves of it."""
        (small, low), (large, high) = self.small, self.large
        return (
            f"`{self.node}` joins `{small}` (±{low:.3g}) with `{large}` (±{high:.3g}): one scale "
            f"leaves `{small}` {STEPS / self.ratio:.2g} of {STEPS} steps"
        )


def list_joined(view: GraphView, tensors: Iterable[str]) -> list[str]:
    """Name the activations that become part of one of `tensors` in a Concat, in graph order."""
    found = {
        source
        for tensor in tensors
        for _, sources, _ in _find_concats(view, tensor)
        for source in sources
        if not view.is_constant(source) and view.dtype(source) in QUANTIZED_TYPES
    }
    return [name for name in view.activations if name in found]


def find_unlike_joins(
    view: GraphView, tensor: str, ranges: Mapping[str, Range]
) -> Iterator[UnlikeJoin]:
    """Yield each Concat that a tensor comes of whose inputs' ranges are known and differ."""
    own = _find_limit(view, tensor, ranges)
    for index, sources, factor in _find_concats(view, tensor):
        limits = {source: _find_limit(view, source, ranges) for source in sources}
        known = [(name, limit) for name, limit in limits.items() if limit]
        if known:
            small, large = (pick(known, key=lambda item: item[1]) for pick in (min, max))
            limit = min(own / factor or large[1], large[1])
            yield UnlikeJoin(name_of(view.nodes[index]), small, large, limit)


def explain_loss(view: GraphView, tensor: str, ranges: Mapping[str, Range]) -> str:
    """Say what a tensor with one scale would lose of what it is joined of; nothing if not much.

    A range by hand is the word of somebody who knows.
    """
    own = ranges.get(tensor)
    if own is None or own.origin == "manual":
        return ""
    lost = [each for each in find_unlike_joins(view, tensor, ranges) if each.ratio >= LOST]
    return max(lost, key=lambda each: each.ratio).describe() if lost else ""


def explain_loss_of_layer(view: GraphView, index: int, ranges: Mapping[str, Range]) -> str:
    """Say what a layer with one scale for each operand would lose; nothing if not much."""
    operands = view.nodes[index].input[:2]
    return next(filter(None, (explain_loss(view, each, ranges) for each in operands)), "")


def _find_concats(view: GraphView, tensor: str) -> Iterator[tuple[int, tuple[str, ...], float]]:
    """Yield the Concats whose values a tensor holds, all or some, and what each of them joins.

    And how many times as large as in the Concat they are in the tensor.
    """
    waiting, seen = [(tensor, 1.0)], {tensor}
    while waiting:
        name, factor = waiting.pop()
        index = view.producers.get(name)
        if index is None:
            continue
        node = view.nodes[index]
        if node.op_type == "Concat":
            yield index, tuple(node.input), factor
        for slot, source in enumerate(node.input):
            own = _find_factor(view, index, slot) if source not in seen else None
            if own is not None:
                seen.add(source)
                waiting.append((source, factor * own))


def _find_factor(view: GraphView, index: int, slot: int) -> float | None:
    """Return by what a node multiplies an operand's values; None if it mixes them, or unlike."""
    node = view.nodes[index]
    if passes(view, index, slot) or (slot == 0 and node.op_type in _KEEPING):
        return 1.0
    if len(node.input) != 2:  # noqa: PLR2004  # those with a constant beside
        return None
    other = node.input[1 - slot]
    if node.op_type in {"Add", "Sub", "Max", "Min"}:
        return 1.0 if view.is_constant(other) else None
    if node.op_type == "Mul" and _is_gate(view, other, of=node.input[slot]):
        return 1.0
    least, most = _read_sizes(view, other)
    if least and most <= ALIKE * least:
        return {"Mul": most, "Div": 1 / least if slot == 0 else None}.get(node.op_type)
    return None


def _is_gate(view: GraphView, tensor: str, *, of: str) -> bool:
    node = view.producer(tensor)
    return node is not None and node.op_type in _GATES and node.input[0] == of


def _find_limit(view: GraphView, tensor: str, ranges: Mapping[str, Range]) -> float:
    """Return a tensor's limit; 0 where it is not known."""
    if view.held(view.root(tensor)) is None:
        return ranges[tensor].limit if tensor in ranges else 0.0
    return _read_sizes(view, tensor)[1]


def _read_sizes(view: GraphView, tensor: str) -> tuple[float, float]:
    """Return a constant's smallest and largest absolute value; 0 and 0 where it is not read."""
    held = view.held(view.root(tensor))
    size = math.prod(held.dims) if held is not None else 0
    if held is None or not 0 < size <= MOST_VALUES or view.dtype(tensor) not in QUANTIZED_TYPES:
        return 0.0, 0.0
    values = abs(read_values(held).astype("float32"))
    return float(values.min()), float(values.max())
