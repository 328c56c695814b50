"""Give each layer weights of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.words import format_size
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.tensors import Names
from trtbuild.model.nodes import WEIGHTED

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["SplitSharedWeights", "lies_in_file"]


class SplitSharedWeights(FixKind):
    """Give each layer weights of its own where several share an initializer.

    Each can then have scales, roundings and clips of its own. The first layer keeps the name, the
    others' copies are named after them. Left alone: weights of a model over 2 GB, which lie in its
    file.
    """

    equal: ClassVar[bool] = True
    measured: ClassVar[Literal["", "equal", "moved"]] = "equal"

    kind: Literal["split_shared_weights"]

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done."""
        import onnx_graphsurgeon as gs

        log, names, grown = FixLog(), Names(graph), 0
        shared: dict[int, tuple[gs.Constant, list[tuple[gs.Node, int]]]] = {}
        for node, slot in _iterate_weights(graph):
            tensor = node.inputs[slot]
            shared.setdefault(id(tensor), (tensor, []))[1].append((node, slot))
        for tensor, readers in shared.values():
            if len(readers) < 2:  # noqa: PLR2004  # one is not shared
                continue
            if lies_in_file(tensor):
                log.left(tensor.name, "it lies in the file of a model over 2 GB")
                continue
            for node, slot in readers[1:]:
                copy = gs.Constant(names.fresh(f"{tensor.name}_{node.name}"), tensor.values)
                node.inputs[slot] = copy
                grown += tensor.values.nbytes
                log.changed(node.name, f"{tensor.name} → {copy.name}")
        if grown:
            log.remark(f"split_shared_weights: copies of weights come to {format_size(grown)}")
        return log


def _iterate_weights(graph: gs.Graph) -> Iterator[tuple[gs.Node, int]]:
    """Yield the layers and where they read weights; a weight read twice by one is no sharing."""
    import onnx_graphsurgeon as gs

    for node in graph.nodes:
        if node.op in WEIGHTED and not node.domain:
            held = [slot for slot in (0, 1) if isinstance(node.inputs[slot], gs.Constant)]
            if len(held) == 1:
                yield node, held[0]


def lies_in_file(tensor: gs.Constant) -> bool:
    """Tell whether a constant lies in the file of a model over 2 GB."""
    from onnx_graphsurgeon.ir.tensor import LazyValues

    from trtbuild.model.weights_file import lies_beside

    held = tensor._values  # noqa: SLF001  # asking for values would read them
    return isinstance(held, LazyValues) and lies_beside(held.tensor)
