"""Read models into graphs; rewrite a graph by way of the model that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trtbuild.fixes.prepare import (
    drop_repeated,
    hoist_constants,
    lower_constants,
    name_nodes,
    refuse_unknown,
)
from trtbuild.model.onnx_file import NEWEST_IR, OLDEST_IR
from trtbuild.model.shapes import infer_shapes
from trtbuild.model.weights_file import lies_beside, read_values

if TYPE_CHECKING:
    import numpy as np
    import onnx
    import onnx_graphsurgeon as gs

__all__ = ["bring_into_form", "read_graph", "replace_graph", "rewrite", "splice", "write_model"]

_KEPT = ("nodes", "inputs", "outputs", "opset", "import_domains", "functions")


def bring_into_form(model: onnx.ModelProto) -> None:
    """Bring a model into the one form that fixes see, but for its shapes."""
    model.ir_version = min(max(model.ir_version, OLDEST_IR), NEWEST_IR)
    lower_constants(model.graph)
    refuse_unknown(model.graph)
    name_nodes(model.graph)
    drop_repeated(model.graph)


def read_graph(model: onnx.ModelProto) -> gs.Graph:
    """Import a model that is in form, without what nobody reads."""
    import onnx_graphsurgeon as gs

    graph = gs.import_onnx(model).cleanup()  # a dead reader must not hold a fix up
    _map_weights(graph)
    return graph


def _map_weights(graph: gs.Graph) -> None:
    """Let constants that lie in files be mapped where a fix asks for their values."""
    import numpy as np
    import onnx_graphsurgeon as gs
    from onnx_graphsurgeon.ir.tensor import LazyValues

    class Mapped(LazyValues):  # type: ignore[misc]  # known only at run time
        def load(self) -> np.ndarray:
            return np.array(read_values(self.tensor))

    for constant in graph.tensors().values():
        held = constant._values if isinstance(constant, gs.Constant) else None  # noqa: SLF001
        if isinstance(held, LazyValues) and lies_beside(held.tensor):
            constant.values = Mapped(held.tensor)
            constant.data_location = None  # else new values would claim to lie in a file


def write_model(graph: gs.Graph) -> onnx.ModelProto:
    """Export a graph as it stands between two fixes; constants lie in the main graph."""
    import onnx_graphsurgeon as gs

    model: onnx.ModelProto = gs.export_onnx(graph)
    model.ir_version = min(model.ir_version, NEWEST_IR)
    hoist_constants(model.graph, {tensor.name for tensor in model.graph.initializer})
    return model


def rewrite(graph: gs.Graph, change: Callable[[onnx.ModelProto], onnx.ModelProto]) -> None:
    """Change a graph in place by a function of the model that it stands for."""
    replace_graph(graph, change(write_model(graph)))


def replace_graph(graph: gs.Graph, model: onnx.ModelProto) -> None:
    """Put a model in the place of what a graph holds; the model is used up."""
    bring_into_form(model)
    new = read_graph(infer_shapes(model, strict=False))
    for name in _KEPT:
        setattr(graph, name, getattr(new, name))


def splice(
    model: onnx.ModelProto, text: str, bound: Mapping[str, str], prefix: str, *, front: bool = False
) -> None:
    """Put nodes, written as ONNX text, into a model: behind all others, or in front of them.

    Tensors that are `bound` go by the names given there; all others, and the nodes, by names of
    their own behind the prefix.
    """
    import onnx.parser

    opset = next(each.version for each in model.opset_import if not each.domain)
    head = f'<domain: "trtbuild", opset_import: ["" : {opset}]> body () => ()'
    body = onnx.parser.parse_function(f"{head} {{ {text} }}")
    for place, node in enumerate(body.node):
        node.name = f"{prefix}/{node.op_type}_{place}"
        for names in (node.input, node.output):
            for slot, name in enumerate(names):
                names[slot] = name and bound.get(name, f"{prefix}/{name}")
    if front:
        nodes = [*body.node, *model.graph.node]
        del model.graph.node[:]
        model.graph.node.extend(nodes)
    else:
        model.graph.node.extend(body.node)
