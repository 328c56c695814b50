"""Find the tensors and nodes of a graph by name, and name new ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import join_few
from trtbuild.model.names import make_unique

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = [
    "Names",
    "describe_shape",
    "find_tensors",
    "iterate_all_nodes",
    "refuse_absent",
    "require_opset",
    "tell_ends",
]

SHOWN = 8


def iterate_all_nodes(graph: gs.Graph) -> Iterator[gs.Node]:
    """Yield the nodes of a graph and of the graphs inside."""
    for each in (graph, *graph.subgraphs(recursive=True)):
        yield from each.nodes


def find_tensors(graph: gs.Graph) -> dict[str, gs.Tensor]:
    """Return all tensors by name, those of the graphs inside too."""
    found: dict[str, gs.Tensor] = {}
    for each in (graph, *graph.subgraphs(recursive=True)):
        ends = (*each.inputs, *each.outputs)
        inner = (tensor for node in each.nodes for tensor in (*node.inputs, *node.outputs))
        for tensor in (*ends, *inner):
            if not tensor.is_empty():
                found.setdefault(tensor.name, tensor)
    return found


class Names:
    """Hands out names that neither a node nor a tensor of the graph has."""

    def __init__(self, graph: gs.Graph) -> None:
        self._taken = {*find_tensors(graph), *(node.name for node in iterate_all_nodes(graph))}

    def fresh(self, wanted: str) -> str:
        """Return `wanted`, or `wanted_1`, `wanted_2`, ... where that is taken."""
        name = make_unique(wanted, self._taken)
        self._taken.add(name)
        return name


def refuse_absent(kind: str, name: str, known: Iterable[str], what: str) -> StepInputError:
    """Return the error for a name that is not there, with the nearest that are."""
    import difflib

    known = list(known)
    near = difflib.get_close_matches(name, known, SHOWN, cutoff=0.4) or known
    return StepInputError(
        f"{kind}: the model has no {what} `{name}`",
        hint=f"{'nearest' if near is not known else what + 's'}: {join_few(near, SHOWN)}",
    )


def describe_shape(tensor: gs.Tensor) -> str:
    """Write a shape as a reader would: [N, 3, ?]."""
    if tensor.shape is None:
        return "[?]"
    return "[" + ", ".join(str(size) if size else "?" for size in tensor.shape) + "]"


def tell_ends(tensors: Sequence[gs.Tensor]) -> str:
    """List inputs or outputs with their shapes."""
    return join_few([f"{each.name} {describe_shape(each)}" for each in tensors], SHOWN)


def require_opset(graph: gs.Graph, needed: int, kind: str) -> None:
    """Refuse a graph whose opset lacks what a fix writes.

    Raises:
        StepInputError: saying how it is raised.
    """
    if graph.opset < needed:
        raise StepInputError(
            f"{kind}: needs opset {needed}, and the model is written in {graph.opset}",
            hint=f"put `{{kind: set_opset, opset: {needed}}}` in front of it",
        )
