"""Inline a model's local functions, unless they would grow beyond all bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import quote_whole
from trtbuild.model.nodes import iterate_bodies

if TYPE_CHECKING:
    import onnx

__all__ = ["MOST_NODES", "inline_functions"]

MOST_NODES = 1_000_000
"""Thirty functions that each call the next one twice would come to a thousand times as many."""
HINT = "export the model without local functions"
_Name = tuple[str, str, str]


def inline_functions(model: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """Return the model with the bodies of its local functions in the place of their calls.

    Raises:
        StepInputError: they call themselves, are not valid, or come to too many nodes.
    """
    from onnx import inliner

    functions = {(each.domain, each.name, each.overload): each.node for each in model.functions}
    if _nodes(model.graph.node, functions, {}, where) > MOST_NODES:
        raise StepInputError(
            f"{where}: its local functions come to more than {MOST_NODES:,} nodes", hint=HINT
        )
    try:
        return inliner.inline_local_functions(model)
    except Exception as error:  # the checker and the inliner have their own
        first = quote_whole(str(error)) or type(error).__name__
        raise StepInputError(
            f"{where}: its local functions cannot be inlined: {first}", hint=HINT
        ) from error


def _nodes(
    nodes: Iterable[onnx.NodeProto],
    functions: Mapping[_Name, Iterable[onnx.NodeProto]],
    known: dict[_Name, int | None],
    where: str,
) -> int:
    """Count the nodes that calls come to; in `known`, a function that is being counted is None."""
    total = 0
    for node in nodes:
        name = (node.domain, node.op_type, node.overload)
        if name not in functions:
            total += 1
        elif name not in known:
            known[name] = None
            known[name] = _nodes(functions[name], functions, known, where)
        count = known.get(name, 0)
        if count is None:
            raise StepInputError(
                f"{where}: the local function `{node.op_type}` calls itself", hint=HINT
            )
        total += count
        total += sum(_nodes(body.node, functions, known, where) for body in iterate_bodies(node))
    return total
