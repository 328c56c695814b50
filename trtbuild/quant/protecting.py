"""Policies by name for what usually stays in float: each stands for lines of `skip`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from trtbuild.model.nodes import WEIGHTED, name_of

if TYPE_CHECKING:
    import onnx

__all__ = ["PROTECT", "Policy", "find_head", "find_protected"]

Policy = Literal["detection_head", "first_and_last"]
PROTECT = "protect:"
"""What stands in front of a policy where it travels among the patterns of `skip`."""
DECODES = {"Softmax"}
"""What a head itself computes: a layer behind it (of a distribution over distances, say) is part of
the decoding, and those in front of it are last ones all the same."""


def find_protected(policy: str, nodes: Iterable[onnx.NodeProto]) -> tuple[str, ...]:
    """Return the layers that a policy keeps in float, in the order of the model's `nodes`.

    `detection_head`: those behind which there is no other (see `find_head`). `first_and_last`:
    these, and those in front of which there is none.
    """
    known = list(nodes)
    layers = {name_of(node) for node in known if node.op_type in WEIGHTED}
    head = find_head(known, layers)
    if policy == "detection_head":
        return head
    kept = {*head, *_find_first(known, layers)}
    return tuple(name for name in map(name_of, known) if name in kept) if kept < layers else ()


def find_head(nodes: Sequence[onnx.NodeProto], layers: Collection[str]) -> tuple[str, ...]:
    """Return those of the layers behind which there is no other, in the order of the model.

    Nothing where that is all of them.
    """
    followed: set[str] = set()
    found = []
    for node in reversed(nodes):
        name = name_of(node)
        behind = not followed.isdisjoint(node.output)
        if name in layers and not behind:
            found.append(name)
        if name in layers or (behind and node.op_type not in DECODES):
            followed.update(filter(None, node.input))
    return tuple(reversed(found)) if len(found) < len(layers) else ()


def _find_first(nodes: Iterable[onnx.NodeProto], layers: Collection[str]) -> list[str]:
    """Return the layers in front of which there is no other."""
    reached: set[str] = set()
    found = []
    for node in nodes:
        ahead = not reached.isdisjoint(node.input)
        if name_of(node) in layers and not ahead:
            found.append(name_of(node))
        if ahead or name_of(node) in layers:
            reached.update(node.output)
    return found
