"""The head of a detector: the last layers of its branches, of which all else is decoded."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from trtbuild.model.nodes import name_of

if TYPE_CHECKING:
    from trtbuild.model.view import GraphView

__all__ = ["find_head"]

DECODES = {"Softmax"}
"""What a head itself computes: a layer behind it (of a distribution over distances, say) is part of
the decoding, and those in front of it are last ones all the same."""


def find_head(view: GraphView, layers: Collection[str]) -> tuple[str, ...]:
    """Return those of the layers behind which there is no other, in the order of the model.

    Nothing where that is all of them.
    """
    followed: set[str] = set()
    found = []
    for node in reversed(view.nodes):
        name = name_of(node)
        behind = not followed.isdisjoint(node.output)
        if name in layers and not behind:
            found.append(name)
        if name in layers or (behind and node.op_type not in DECODES):
            followed.update(filter(None, node.input))
    return tuple(reversed(found)) if len(found) < len(layers) else ()
