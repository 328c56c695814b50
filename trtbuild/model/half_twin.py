"""A twin of a 16-bit model for ONNX Runtime on a CPU: FP32, rounded to 16 bits behind every node.

ONNX Runtime has no BF16 there, and drops the casts between nodes of FP16, so that what overflows or
is rounded between them would not show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.model.names import NameGenerator
from trtbuild.model.nodes import iterate_bodies
from trtbuild.model.onnx_file import load_bare, load_onnx, write_onnx
from trtbuild.model.view import GraphView
from trtbuild.model.weights_file import make_tensor, read_values, use_scratch

if TYPE_CHECKING:
    import onnx

__all__ = ["ROUNDED", "load_runnable", "write_half_twin"]

ROUNDED = (
    "16-bit nodes are computed in FP32 here, and what each makes is rounded to 16 bits: ONNX "
    "Runtime on a CPU does not compute in them"
)
FLOAT, FLOAT16, BFLOAT16 = 1, 10, 16
"""ONNX's numbers for the types."""
HALVES = {"float16": FLOAT16, "bfloat16": BFLOAT16}
_TYPES = frozenset({"to", "dtype", "output_dtype"})
"""Attributes that name a type."""


def write_half_twin(path: Path, folder: Path) -> Path:
    """Write the twin of a model into a folder and return it; one without 16 bits is its own.

    Every 16-bit tensor is FP32 in the twin, and holds values that 16 bits can. Inputs and outputs
    of FP16 stay so; those of BF16, which NumPy lacks, are FP32. A model with FP16 inside the bodies
    of If, Loop or Scan is its own twin too.

    Raises:
        StepInputError: there is BF16 inside such a body.
    """
    bare = load_bare(path)
    if not any(_list_halves(bare.graph)) or _stays(bare):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    del bare
    model = load_onnx(path)
    with use_scratch(folder / "scratch", of=model):
        _Widening(model).carry_out()
        write_onnx(model, folder / "model.onnx", folder / "model.weights")
    return folder / "model.onnx"


def load_runnable(path: Path, folder: Path) -> tuple[Path, onnx.ModelProto]:
    """Load a model bare that ONNX Runtime runs on a CPU: of one with BF16 its twin, in a folder.

    Raises:
        StepInputError: there is BF16 inside the body of an If, Loop or Scan.
    """
    model = load_bare(path)
    if BFLOAT16 in _list_halves(model.graph):
        path = write_half_twin(path, folder)
        model = load_bare(path)
    return path, model


def _stays(model: onnx.ModelProto) -> bool:
    """Tell whether bodies hold 16 bits, or read them from outside."""
    view = GraphView(model)
    found = {
        half
        for node in model.graph.node
        for body in iterate_bodies(node)
        for half in _list_halves(body)
    }
    found |= {HALVES.get(view.dtype(name) or "", 0) for name in view.captured}
    if BFLOAT16 in found:
        raise StepInputError(
            "there is BF16 inside the body of an If, Loop or Scan: ONNX Runtime cannot run it on "
            "a CPU",
            hint="export the model without control flow, or leave out what has to run it",
        )
    return FLOAT16 in found


def _list_halves(graph: onnx.GraphProto) -> Iterator[int]:
    """Yield each 16-bit type where a graph has it, those of the bodies in it left out."""
    found = [
        value.type.tensor_type.elem_type
        for value in (*graph.input, *graph.output, *graph.value_info)
    ]
    found += [tensor.data_type for tensor in graph.initializer]
    for node in graph.node:
        found += [each.t.data_type for each in node.attribute if each.HasField("t")]
        found += [each.i for each in node.attribute if each.name in _TYPES]
    yield from (each for each in found if each in HALVES.values())


class _Widening:
    """A model that becomes its twin."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._graph = model.graph
        self._names = NameGenerator(model.graph)
        view = GraphView(model)
        types = {name: HALVES.get(view.dtype(name) or "", 0) for name in view.activations}
        self._half: Mapping[str, int] = {name: half for name, half in types.items() if half}
        outside = {value.name for value in model.graph.input}
        outside |= {name for name in view.outputs if self._half.get(name) == FLOAT16}
        self._inner = {
            name: self._names.fresh(f"{name}_float") if name in outside else name
            for name in self._half
        }

    def carry_out(self) -> None:
        """Widen constants, attributes and nodes, and round behind each."""
        import onnx

        graph = self._graph
        for place, tensor in enumerate(graph.initializer):
            if tensor.data_type in HALVES.values():
                graph.initializer[place].CopyFrom(_widen_tensor(tensor))
        made = [node for value in graph.input for node in self._take_in(value.name)]
        for node in graph.node:
            _widen_attributes(node)
            made += self._widen(onnx.NodeProto.FromString(node.SerializeToString()))
        made += [node for value in graph.output for node in self._give_out(value.name)]
        del graph.node[:], graph.value_info[:]
        graph.node.extend(made)
        for value in (*graph.input, *graph.output):
            if value.type.tensor_type.elem_type == BFLOAT16:
                value.type.tensor_type.elem_type = FLOAT

    def _widen(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        results = [name for name in node.output if name in self._half]
        wide = {name: self._names.fresh(f"{name}_wide") for name in results}
        node.input[:] = [self._inner.get(name, name) for name in node.input]
        node.output[:] = [wide.get(name, name) for name in node.output]
        yield node
        for name in results:
            yield from self._round(wide[name], self._inner[name], self._half[name])

    def _take_in(self, name: str) -> Iterator[onnx.NodeProto]:
        half = self._half.get(name)
        if half == FLOAT16:
            yield self._cast(name, self._inner[name], FLOAT)
        elif half:
            yield from self._round(name, self._inner[name], half)

    def _give_out(self, name: str) -> Iterator[onnx.NodeProto]:
        if self._half.get(name) == FLOAT16:
            yield self._cast(self._inner[name], name, FLOAT16)

    def _round(self, source: str, result: str, half: int) -> Iterator[onnx.NodeProto]:
        between = self._names.fresh(f"{result}_half")
        yield self._cast(source, between, half)
        yield self._cast(between, result, FLOAT)

    def _cast(self, source: str, result: str, to: int) -> onnx.NodeProto:
        import onnx

        name = self._names.fresh(f"{result}_cast")
        return onnx.helper.make_node("Cast", [source], [result], name, to=to)


def _widen_attributes(node: onnx.NodeProto) -> None:
    for each in node.attribute:
        if each.HasField("t") and each.t.data_type in HALVES.values():
            each.t.CopyFrom(_widen_tensor(each.t))
        if each.name in _TYPES and each.i in HALVES.values():
            each.i = FLOAT


def _widen_tensor(tensor: onnx.TensorProto) -> onnx.TensorProto:
    return make_tensor(read_values(tensor).astype("float32"), tensor.name)
