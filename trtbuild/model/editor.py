"""Editor: changes to a graph, collected against its View and written in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.model.folding import FOLDED
from trtbuild.model.names import NameGenerator
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView, Site, iterate_names_read_in_bodies
from trtbuild.model.weights_file import make_tensor

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

__all__ = ["Editor"]

DROPPED = FOLDED | {"DequantizeLinear", "QuantizeLinear"}
"""Operators that go when nobody reads their result any more."""


class Editor:
    """Collects new constants, nodes and readings of a model; `finish` rebuilds its graph.

    Places of nodes are those of `view`, which keeps showing the graph as it was.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.view = GraphView(model)
        self._graph = model.graph
        self._names = NameGenerator(model.graph)
        self._before: dict[int, list[onnx.NodeProto]] = {}
        self._left: set[str] = set()

    def constant(self, wanted: str, values: npt.NDArray[np.generic]) -> str:
        """Add an initializer and return its name: `wanted`, with a number if that is taken."""
        name = self._names.fresh(wanted)
        self._graph.initializer.append(make_tensor(values, name))
        return name

    def node_before(
        self, index: int, op: str, name: str, inputs: list[str], output: str, **attributes: int
    ) -> str:
        """Put a node of one result before the one at `index`; return that result's name."""
        import onnx

        result = self._names.fresh(output)
        node = onnx.helper.make_node(
            op, inputs, [result], name=self._names.fresh(name), **attributes
        )
        self._before.setdefault(index, []).append(node)
        return result

    def parameters(
        self, tensor: str, scale: npt.NDArray[np.floating], dtype: npt.DTypeLike = "int8"
    ) -> list[str]:
        """Add a tensor's scale and the zero points of a type beside it; return their names."""
        import numpy as np

        return [
            self.constant(f"{tensor}_scale", scale),
            self.constant(f"{tensor}_zero_point", np.zeros(scale.shape, dtype)),
        ]

    def dequantize_before(
        self,
        index: int,
        tensor: str,
        operands: list[str],
        axis: int | None = None,
        block: int | None = None,
    ) -> str:
        """Put a tensor's DequantizeLinear before the node at `index`; return its result's name.

        `operands` are integers, scale and zero point; the scale lies along `axis`, if it is a list;
        by blocks of so many along it, if it is as many-sided as the tensor.
        """
        return self.node_before(
            index,
            "DequantizeLinear",
            f"{tensor}_dequantize",
            operands,
            f"{tensor}_dequantized",
            **({} if axis is None else {"axis": axis}),
            **({} if block is None else {"block_size": block}),
        )

    def read(self, site: Site, tensor: str) -> None:
        """Let an operand read another tensor."""
        index, slot = site
        names = self.view.nodes[index].input
        names.extend([""] * (slot + 1 - len(names)))
        self._left |= {names[slot]} - {""}
        names[slot] = tensor

    def forget_type(self, tensor: str) -> None:
        """Drop what the graph declares of a tensor inside it, since that is to change."""
        declared = self._graph.value_info
        for place in reversed(range(len(declared))):
            if declared[place].name == tensor:
                del declared[place]

    def drop_attribute(self, index: int, name: str) -> None:
        """Take an attribute from a node, if it has it."""
        attributes = self.view.nodes[index].attribute
        for place in reversed(range(len(attributes))):
            if attributes[place].name == name:
                del attributes[place]

    def finish(self) -> None:
        """Put the new nodes in their places and name the nameless; drop what lost its readers."""
        nodes = []
        for index, node in enumerate(self.view.nodes):
            nodes += [*self._before.get(index, ()), node]
        nodes = self._without_unread(nodes)
        for node in nodes:
            node.name = name_of(node)
        graph = self._graph
        del graph.node[:]
        graph.node.extend(nodes)
        for values in (graph.initializer, graph.input, graph.value_info):
            for index in reversed(range(len(values))):
                if values[index].name in self._left:
                    del values[index]

    def _without_unread(self, nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
        """Drop nodes that lost their readers, keeping in `_left` the names that nobody reads."""
        read = {output.name for output in self._graph.output}
        kept = []
        for node in reversed(nodes):
            result = node.output[0]
            # Not `in self._left - read`: a set for every node takes minutes in a large graph.
            if node.op_type in DROPPED and result in self._left and result not in read:
                self._left |= set(node.input)
                continue
            read |= {*node.input, *iterate_names_read_in_bodies(node)}
            kept.append(node)
        self._left -= read
        return kept[::-1]
