"""Nodes that are no operators of ONNX: plugins, which TensorRT can run and ONNX Runtime cannot.

What stands in front of them is a model of its own; what stands behind them nobody computes here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.frozen import frozen
from trtbuild.core.words import join_few
from trtbuild.model.nodes import iterate_bodies, iterate_nodes, name_of

if TYPE_CHECKING:
    import onnx

__all__ = [
    "ONNX",
    "Front",
    "cut_before_plugins",
    "declare_domains",
    "describe_plugin",
    "find_behind",
    "find_plugins",
    "has_operator",
    "is_plugin",
    "return_to_onnx",
    "set_apart",
]

ONNX = frozenset({"", "ai.onnx"})
"""The names of the domain of ONNX's own operators."""
LEARNING = "ai.onnx.ml"
"""The domain of scikit-learn's operators: trees, scalers, encoders. TensorRT has none of them."""
RUN = frozenset({LEARNING, "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc"})
"""Other domains that ONNX Runtime has operators of."""
APART = "trtbuild.plugins"
SHOWN = 5


def is_plugin(node: onnx.NodeProto) -> bool:
    """Tell a node that is no operator of ONNX or of ONNX Runtime's own domains.

    A node whose body holds one counts as well: ONNX Runtime loads all of it or nothing.
    """
    return any(map(_is_foreign, iterate_nodes([node])))


def _is_foreign(node: onnx.NodeProto) -> bool:
    if node.domain in ONNX:
        return not has_operator(node.op_type)
    return node.domain not in RUN


def has_operator(name: str) -> bool:
    """Tell whether ONNX has an operator of a name, in whatever opset."""
    import onnx

    return bool(onnx.defs.has(name))


def find_plugins(nodes: Iterable[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Return the nodes of a graph that are plugins."""
    return [node for node in nodes if is_plugin(node)]


def describe_plugin(node: onnx.NodeProto) -> str:
    """Name a plugin's node as people do: EfficientNMS_TRT `nms0`."""
    inner = next((each for each in iterate_nodes([node]) if _is_foreign(each)), node)
    return f"{inner.op_type} `{name_of(node)}`"


def find_behind(nodes: Sequence[onnx.NodeProto]) -> dict[int, str]:
    """Return the plugins and what stands behind them, by place, each with the first plugin's words.

    The nodes must be in order.
    """
    made: dict[str, str] = {}
    found = {}
    for index, node in enumerate(nodes):
        behind = next((made[name] for name in _list_read(node) if name in made), "")
        if not behind and is_plugin(node):
            behind = describe_plugin(node)
        if behind:
            found[index] = behind
            made |= dict.fromkeys(filter(None, node.output), behind)
    return found


def _list_read(node: onnx.NodeProto) -> Iterator[str]:
    """Yield what a node reads, and what its bodies do."""
    for each in iterate_nodes([node]):
        yield from each.input
        for body in iterate_bodies(each):
            yield from (output.name for output in body.output)


@frozen
class Front:
    """The part of a model in front of its plugins, and what was cut off."""

    plugins: tuple[str, ...]
    """EfficientNMS_TRT `nms0`, ...; empty where nothing was cut off."""
    lost: tuple[str, ...] = ()
    """The model's outputs that stand behind them."""
    seams: tuple[str, ...] = ()
    """The tensors at the cut: they are outputs of the front."""

    @property
    def behind(self) -> str:
        """Say behind what: `behind EfficientNMS_TRT nms0`."""
        return f"behind {join_few(list(self.plugins), SHOWN)}"


def cut_before_plugins(model: onnx.ModelProto) -> Front:
    """Cut a model off where its plugins begin, in place.

    What they read becomes an output. That is the tensor in front of a Cast, so that the model in
    float32 and in 16 bits are cut at tensors of one name.
    """
    graph = model.graph
    nodes = list(graph.node)
    behind = find_behind(nodes)
    if not behind:
        return Front(())
    lost = {name for index in behind for name in nodes[index].output if name}
    kept = [node for index, node in enumerate(nodes) if index not in behind]
    makers = {name: node for node in kept for name in node.output}
    read = [name for index in behind for name in _list_read(nodes[index])]
    seams = dict.fromkeys(filter(None, (_find_seam(name, makers) for name in read)))
    ends = {output.name for output in graph.output}
    _keep(graph, kept, lost)
    _add_outputs(graph, [name for name in seams if name not in ends])
    return Front(
        plugins=tuple(describe_plugin(nodes[index]) for index in behind if is_plugin(nodes[index])),
        lost=tuple(sorted(lost & ends)),
        seams=tuple(seams),
    )


def _find_seam(name: str, makers: dict[str, onnx.NodeProto]) -> str:
    """Return the tensor that a name stands for at the cut; nothing for an input or a constant."""
    node = makers.get(name)
    while node is not None and node.op_type == "Cast" and node.input[0] in makers:
        name = node.input[0]
        node = makers[name]
    return "" if node is None or node.op_type == "Constant" else name


def _keep(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto], lost: set[str]) -> None:
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    for field in (graph.output, graph.value_info):
        for index in reversed(range(len(field))):
            if field[index].name in lost:
                del field[index]


def _add_outputs(graph: onnx.GraphProto, names: Iterable[str]) -> None:
    import onnx

    known = {value.name: value for value in graph.value_info}
    for name in names:
        graph.output.append(known.get(name) or onnx.ValueInfoProto(name=name))


def declare_domains(model: onnx.ModelProto) -> list[str]:
    """Give domains of nodes that the model names no version of version 1; return them.

    TensorRT does not ask for it, while the ONNX library refuses such a model.
    """
    known = {entry.domain for entry in model.opset_import}
    used = {node.domain for node in iterate_nodes(model.graph.node)} - ONNX
    for domain in sorted(used - known):
        model.opset_import.add(domain=domain, version=1)
    return sorted(used - known)


@contextlib.contextmanager
def set_apart(model: onnx.ModelProto) -> Iterator[None]:
    """Keep plugins that stand in ONNX's own domain in one of their own for as long as it lasts.

    The ONNX library checks and converts nothing that has an operator in its domain which it does
    not know, and leaves those of other domains alone.
    """
    moved = [
        (node, node.domain)
        for node in iterate_nodes(model.graph.node)
        if node.domain in ONNX and not has_operator(node.op_type)
    ]
    if not moved:
        yield
        return
    for node, _ in moved:
        node.domain = APART
    entry = len(model.opset_import)
    model.opset_import.add(domain=APART, version=1)
    try:
        yield
    finally:
        for node, domain in moved:
            node.domain = domain
        del model.opset_import[entry]


def return_to_onnx(model: onnx.ModelProto) -> None:
    """Move plugins back into ONNX's own domain in what the ONNX library made of a model."""
    for node in iterate_nodes(model.graph.node):
        if node.domain == APART:
            node.domain = ""
    for index in reversed(range(len(model.opset_import))):
        if model.opset_import[index].domain == APART:
            del model.opset_import[index]
