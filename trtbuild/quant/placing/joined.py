"""Tensors that are joined under one scale, though their values are of unlike size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from trtbuild.core.values import Range
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView
from trtbuild.model.weights_file import read_values
from trtbuild.quant.flow import passes
from trtbuild.quant.half_types import QUANTIZED_TYPES

__all__ = ["LOST", "UnlikeJoin", "explain_loss", "find_unlike_joins", "list_joined"]

LOST = 64.0
"""So many times below the largest of what it is joined with, a tensor keeps one step or two."""
STEPS = 127
MOST_VALUES = 1 << 24
"""A constant that is larger is not looked at."""
_KEEPING = frozenset(
    "AveragePool Cast Clip Dropout Expand Gather GatherElements GatherND GlobalAveragePool "  # noqa: SIM905
    "GlobalMaxPool GridSample LeakyRelu Pad Relu Resize Tile Upsample".split()
)
"""Operators whose output's values are as large as those of their first input."""


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
        for _, sources in _find_concats(view, tensor)
        for source in sources
        if not view.is_constant(source) and view.dtype(source) in QUANTIZED_TYPES
    }
    return [name for name in view.activations if name in found]


def find_unlike_joins(
    view: GraphView, tensor: str, ranges: Mapping[str, Range]
) -> Iterator[UnlikeJoin]:
    """Yield each Concat that a tensor comes of whose inputs' ranges are known and differ."""
    own = _find_limit(view, tensor, ranges)
    for index, sources in _find_concats(view, tensor):
        limits = {source: _find_limit(view, source, ranges) for source in sources}
        known = [(name, limit) for name, limit in limits.items() if limit]
        if known:
            small, large = (pick(known, key=lambda item: item[1]) for pick in (min, max))
            limit = min(own or large[1], large[1])
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


def _find_concats(view: GraphView, tensor: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the Concats whose values a tensor holds, all or some, and what each of them joins."""
    waiting, seen = [tensor], {tensor}
    while waiting:
        index = view.producers.get(waiting.pop())
        if index is None:
            continue
        node = view.nodes[index]
        if node.op_type == "Concat":
            yield index, tuple(node.input)
        for slot, source in enumerate(node.input):
            keeps = slot == 0 and node.op_type in _KEEPING
            if (keeps or passes(view, index, slot)) and source not in seen:
                seen.add(source)
                waiting.append(source)


def _find_limit(view: GraphView, tensor: str, ranges: Mapping[str, Range]) -> float:
    """Return a tensor's limit; 0 where it is not known."""
    held = view.held(view.root(tensor))
    if held is None:
        return ranges[tensor].limit if tensor in ranges else 0.0
    size = 1
    for dim in held.dims:
        size *= dim
    if not 0 < size <= MOST_VALUES or view.dtype(tensor) not in QUANTIZED_TYPES:
        return 0.0
    return float(abs(read_values(held).astype("float32")).max())
