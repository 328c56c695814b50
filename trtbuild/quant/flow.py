"""Where INT8 values pass through a node unchanged, so that tensors on both sides share a scale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trtbuild.model.view import GraphView, Site

__all__ = ["AVERAGING", "RATIO", "find_entries", "passes", "share_limits"]

PASSING = frozenset(
    "DepthToSpace Flatten Identity MaxPool Reshape Slice SpaceToDepth Split Squeeze Transpose "  # noqa: SIM905
    "Unsqueeze".split()
)
"""Operators whose outputs hold values of their first input and no others."""

AVERAGING = frozenset({"AveragePool", "GlobalAveragePool"})
"""Operators that may take INT8 in and give it out, at another scale."""

RATIO = 2.0
"""Tensors share a scale while it costs none of them more than one bit.

Beyond that the builder requantizes between them, which is cheaper than the accuracy.
"""


def find_entries(
    view: GraphView, tensor: str, paired: Mapping[str, object]
) -> Iterator[tuple[Site, str]]:
    """Yield the operands, with their tensors, through which paired tensors flow into `tensor`."""
    waiting = [tensor]
    seen = {tensor}
    while waiting:
        index = view.producers.get(waiting.pop())
        if index is None:
            continue
        for slot in _list_passed(view, index):
            source = view.nodes[index].input[slot]
            if source in paired:
                yield (index, slot), source
            elif source not in seen:
                seen.add(source)
                waiting.append(source)


def passes(view: GraphView, index: int, slot: int) -> bool:
    """Tell whether a node hands the values of an operand on unchanged."""
    return slot in _list_passed(view, index)


def _list_passed(view: GraphView, index: int) -> Iterable[int]:
    node = view.nodes[index]
    if node.op_type == "Concat":
        return range(len(node.input))
    if node.op_type in PASSING or _is_nearest_resize(view, index):
        return (0,)
    return ()


def _is_nearest_resize(view: GraphView, index: int) -> bool:
    node = view.nodes[index]
    if node.op_type not in {"Resize", "Upsample"}:
        return False
    modes = [attribute.s for attribute in node.attribute if attribute.name == "mode"]
    return modes in ([], [b"nearest"])


def share_limits(
    limits: Mapping[str, float], joins: Iterable[tuple[str, str]], fixed: Iterable[str]
) -> tuple[dict[str, float], dict[str, tuple[str, ...]]]:
    """Give tensors that flow into each other the largest of their limits, as far as RATIO allows.

    Returns the limits, and for each tensor the others that have its limit because they share it.
    `fixed` tensors (manual ranges) keep their own.
    """
    groups = {tensor: [tensor] for tensor in limits}
    own = set(fixed)
    for first, second in joins:
        one, other = groups[first], groups[second]
        if one is other or first in own or second in own:
            continue
        found = [limits[tensor] for tensor in one + other]
        if max(found) <= RATIO * min(found):
            one += other
            for tensor in other:
                groups[tensor] = one
    shared = {tensor: max(limits[member] for member in group) for tensor, group in groups.items()}
    others = {
        tensor: tuple(sorted(member for member in group if member != tensor))
        for tensor, group in groups.items()
    }
    return shared, others
