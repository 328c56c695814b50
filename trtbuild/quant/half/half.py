"""Write a model in 16-bit floating point: strongly typed, its inputs and outputs as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.model.folding import fold_value
from trtbuild.model.names import NameGenerator
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView, iterate_names_read_in_bodies
from trtbuild.model.weights_file import make_tensor
from trtbuild.quant.half.half_rules import (
    PAIR,
    TypedSlots,
    find_half_slots,
    find_kept_nodes,
    is_cast_to_float,
)
from trtbuild.quant.half_types import HALVES, HalfName, HalfType
from trtbuild.quant.requests import PrecisionRequests

if TYPE_CHECKING:
    import onnx

__all__ = ["halve"]

NONE = TypedSlots(frozenset(), frozenset())


def halve(
    model: onnx.ModelProto,
    name: HalfName,
    *,
    largest: Mapping[str, float],
    requests: PrecisionRequests | None = None,
    keep_io_types: bool = True,
) -> dict[str, tuple[str, str]]:
    """Convert a float32 model, quantized or not, to 16 bits in place.

    Returns the nodes that stay float32, each with its operator and the reason.

    `largest` is the largest absolute value that calibration saw of each tensor; what could
    overflow stays float32 (see `half_rules`). The model's opset must have the type already.

    - A tensor has the type that its maker gives it. Who needs another reads a Cast, one for all.
    - A Q/DQ pair quantizes what type it finds and gives what its readers want: two of them where
      they want both, since a Cast behind a pair would take INT8 from the layer that reads it.
    - Inputs and outputs of the model, and what bodies read, stay float32 under their own names;
      without `keep_io_types` inputs and outputs become 16-bit, unless bodies read them.
    """
    view = GraphView(model)
    staying = find_kept_nodes(
        view, HALVES[name], largest=largest, requests=requests or PrecisionRequests()
    )
    # Before outputs are renamed: nameless nodes are called after them.
    found = {
        name_of(view.nodes[index]): (view.nodes[index].op_type, reason)
        for index, reason in staying.items()
    }
    _Writer(model, view, HALVES[name], staying, keep_io_types=keep_io_types).write()
    return found


class _Writer:
    """Rewrites the nodes in order; knows which tensors exist in which type."""

    def __init__(
        self,
        model: onnx.ModelProto,
        view: GraphView,
        half: HalfType,
        staying: Mapping[int, str],
        *,
        keep_io_types: bool,
    ) -> None:
        self.view, self.half = view, half
        self.graph = model.graph
        self.slots = {
            index: find_half_slots(view, index, half) or NONE
            for index, node in enumerate(view.nodes)
            if index not in staying and node.op_type not in PAIR
        }
        self._names = NameGenerator(model.graph)
        ends = () if keep_io_types else (*self.graph.input, *self.graph.output)
        self._ends = [
            end for end in ends if view.dtype(end.name) == "float" and end.name not in view.captured
        ]
        self._fixed = {*view.outputs, *view.captured} - {end.name for end in self._ends}
        made = {*view.producers, *(constant.name for constant in self.graph.initializer)}
        self._native = {end.name: True for end in self._ends if end.name not in made}
        self._made: dict[tuple[str, bool], str] = {}
        self._nodes: list[onnx.NodeProto] = []

    def write(self) -> None:
        """Replace the graph's nodes and constants."""
        for index, node in enumerate(self.view.nodes):
            if node.op_type == "DequantizeLinear":
                self._dequantizer(node)
            else:
                self._node(index, node)
        for end in self._ends:
            self._convert_end(end)
        del self.graph.node[:]
        self.graph.node.extend(self._nodes)
        self._drop_unread()

    def _convert_end(self, end: onnx.ValueInfoProto) -> None:
        """Give an input or output the 16-bit type; what makes it in float32 gets a Cast behind."""
        if not self._is_half(end.name):
            made = self._names.fresh(f"{end.name}_fp32")
            for node in self._nodes:
                for names in (node.input, node.output):
                    for slot, name in enumerate(names):
                        names[slot] = made if name == end.name else name
            for constant in self.graph.initializer:
                constant.name = made if constant.name == end.name else constant.name
            self._cast(made, end.name, half=True)
        end.type.tensor_type.elem_type = self.half.element

    def _node(self, index: int, node: onnx.NodeProto) -> None:
        slots = self.slots.get(index, NONE)
        if node.op_type == "QuantizeLinear":
            native = self._is_half(node.input[0])
            slots = TypedSlots(frozenset({0, 1}) if native else frozenset(), frozenset())
        for slot, name in enumerate(node.input):
            if name and self.view.dtype(name) == "float":
                node.input[slot] = self._operand(name, half=slot in slots.inputs)
        if slots.outputs and is_cast_to_float(node):
            next(each for each in node.attribute if each.name == "to").i = self.half.element
        self._nodes.append(node)
        for slot in sorted(slots.outputs):
            self._result(node, slot)

    def _result(self, node: onnx.NodeProto, slot: int) -> None:
        """Note that a result is 16-bit now; keep a name that others rely on for float32."""
        name = node.output[slot]
        self._native[name] = True
        if name in self._fixed:
            node.output[slot] = self._names.fresh(f"{name}_{self.half.name}")
            self._made[name, True] = node.output[slot]
            self._cast(node.output[slot], name, half=False)
            self._made[name, False] = name

    def _dequantizer(self, node: onnx.NodeProto) -> None:
        """Let a DequantizeLinear give the type, or both types, that its readers want."""
        import onnx

        name, scale = node.output[0], node.input[1]
        if self.view.dtype(scale) != "float":
            self._nodes.append(node)  # it is 16-bit already
            return
        wanted = {self._wants(*site) for site in self.view.readers.get(name, ())} or {False}
        both = len(wanted) > 1 or (name in self._fixed and True in wanted)
        self._native[name] = True in wanted and not both
        if self._native[name]:
            node.input[1] = self._operand(scale, half=True)
        self._nodes.append(node)
        if both:
            other = onnx.NodeProto()
            other.CopyFrom(node)
            other.name = self._names.fresh(f"{name_of(node)}_{self.half.name}")
            other.output[0] = self._names.fresh(f"{name}_{self.half.name}")
            other.input[1] = self._operand(scale, half=True)
            self._made[name, True] = other.output[0]
            self._nodes.append(other)

    def _wants(self, index: int, slot: int) -> bool:
        """Tell whether a reader wants a tensor in 16 bits."""
        node = self.view.nodes[index]
        if node.op_type == "QuantizeLinear":
            return True
        return slot in self.slots.get(index, NONE).inputs

    def _is_half(self, name: str) -> bool:
        return self._native.get(name, False)

    def _operand(self, name: str, *, half: bool) -> str:
        """Return the name of a tensor in the type wanted, made if need be."""
        if (name, half) in self._made:
            return self._made[name, half]
        if self._is_half(name) == half:
            return name
        if half and self.view.held(name) is not None:
            made = self._constant(name)
        else:
            word = self.half.name if half else "fp32"
            made = self._names.fresh(f"{name}_{word}")
            self._cast(name, made, half=half)
        self._made[name, half] = made
        return made

    def _constant(self, name: str) -> str:
        made = self._names.fresh(f"{name}_{self.half.name}")
        values = self.half.cast(fold_value(self.view, name))
        self.graph.initializer.append(make_tensor(values, made))
        return made

    def _cast(self, source: str, result: str, *, half: bool) -> None:
        import onnx

        to = self.half.element if half else int(onnx.TensorProto.FLOAT)
        name = self._names.fresh(f"{result}_cast")
        self._nodes.append(onnx.helper.make_node("Cast", [source], [result], name=name, to=to))

    def _drop_unread(self) -> None:
        """Drop constants that nobody reads any more, and what was declared of float tensors."""
        read = set(self.view.outputs)
        for node in self.graph.node:
            read |= {*node.input, *iterate_names_read_in_bodies(node)}
        for index in reversed(range(len(self.graph.node))):
            node = self.graph.node[index]
            if node.op_type == "Constant" and node.output[0] not in read:
                del self.graph.node[index]
        for index in reversed(range(len(self.graph.initializer))):
            if self.graph.initializer[index].name not in read:
                del self.graph.initializer[index]
        for index in reversed(range(len(self.graph.value_info))):
            if self.graph.value_info[index].name in self._native:
                del self.graph.value_info[index]
