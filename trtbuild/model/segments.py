"""Cut a model where few tensors cross, and run its parts one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.model.nodes import RANDOM, WEIGHTED
from trtbuild.model.providers import CPU, Providers
from trtbuild.model.session import Session, open_session
from trtbuild.model.view import GraphView, Site, iterate_names_read_in_bodies
from trtbuild.model.weights_file import (
    lies_beside,
    measure_tensor,
    read_values,
    refer_to_file,
)

if TYPE_CHECKING:
    import numpy as np
    import onnx

__all__ = ["ModelSegment", "Rewiring", "SegmentState", "SegmentedModel"]

SegmentState = Mapping[str, "np.ndarray"]
"""What a part of a model hands on: by tensor, all that is read further down."""
SMALL = 1 << 10
"""Bytes of a constant that is copied into every part that reads it."""
MOST_LAYERS = 6
"""Between two cuts, where no thinner place comes sooner."""


@dataclass
class Rewiring:
    """Operands that read something else than the model says, and what makes that."""

    operands: dict[Site, str] = field(default_factory=dict)
    before: dict[int, list[onnx.NodeProto]] = field(default_factory=dict)
    """Nodes that are put before the one at a place."""
    constants: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelSegment:
    """A run of nodes, ready to run."""

    session: Session | None
    """None where it has no nodes."""
    reads: tuple[str, ...]
    hands_on: tuple[str, ...]
    """What is read behind it, and is an output: made in it, or carried past it."""
    taps: tuple[str, ...] = ()

    def run(self, state: SegmentState) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Run it; return what is handed on, and what was tapped.

        Raises:
            StepInputError: ONNX Runtime cannot run it on this.
        """
        made = (
            {}
            if self.session is None
            else self.session.run({name: state[name] for name in self.reads})
        )
        handed = {name: made[name] if name in made else state[name] for name in self.hands_on}
        return handed, {name: made[name] if name in made else state[name] for name in self.taps}


class SegmentedModel:
    """A model whose nodes can be run in parts; each part is a run of nodes in graph order.

    What is computed from constants alone belongs to every part that reads it.
    """

    def __init__(self, model: onnx.ModelProto, *, folder: Path, providers: Providers = CPU) -> None:
        """Take a model as it lies in a folder: its weights may be in files beside it."""
        self._providers = providers
        self.view = GraphView(model)
        self._model = model
        self._folder = folder
        self._values: dict[str, np.ndarray] = {}
        self._reads = [
            [*filter(None, node.input), *iterate_names_read_in_bodies(node)]
            for node in self.view.nodes
        ]
        self._varying = self._find_varying()
        self._born, self._last = self._find_lives()

    @property
    def end(self) -> int:
        """The place behind the last node."""
        return len(self.view.nodes)

    def list_live(self, place: int) -> tuple[str, ...]:
        """Name the tensors that cross a cut before the node at a place: made before, read after."""
        return tuple(
            name
            for name, born in self._born.items()
            if born < place and self._last.get(name, -1) >= place
        )

    def choose_cuts(self, layers: Sequence[int]) -> tuple[int, ...]:
        """Choose where to cut between these nodes: the places that fewest tensors cross.

        Of equally thin places the one right before a layer is taken, so that what is fused into
        the layer before stays with it. At most 6 layers lie between two cuts, if a cut between
        them is possible at all; what is left at the end is cut at the thinnest places alone.
        """
        widths = self._measure_widths()
        inner = [widths[place] for place in range(layers[0] + 1, layers[-1] + 1)] if layers else []
        thinnest = min((width for width in inner if width is not None), default=0)
        cuts: list[int] = []
        first = 0
        while first < len(layers) - 1:
            window = layers[first + 1 : first + MOST_LAYERS + 1]
            places = range(layers[first] + 1, window[-1] + 1)
            possible = [place for place in places if widths[place] is not None]
            if not possible:
                first += len(window)
                continue
            cut = min(possible, key=lambda place: self._rate(place, widths))
            if len(layers) - first <= MOST_LAYERS and widths[cut] != thinnest:
                break
            cuts.append(cut)
            first = next(index for index, layer in enumerate(layers) if layer >= cut)
        return tuple(cuts)

    def open(
        self,
        start: int,
        stop: int,
        rewiring: Rewiring | None = None,
        *,
        taps: Iterable[str] = (),
        threads: int = 0,
    ) -> ModelSegment:
        """Open the nodes from one place up to another as a session of their own.

        `taps` name tensors that it also hands out: its own, those that a rewiring adds, or those
        that it reads.
        """
        rewiring = rewiring or Rewiring()
        live = set(self.list_live(start))
        hands_on = self.list_live(stop)
        nodes = self._collect(start, stop, rewiring)
        made = {name for node in nodes for name in node.output if name}
        wanted = tuple(dict.fromkeys(taps))
        outputs = [name for name in dict.fromkeys((*hands_on, *wanted)) if name in made]
        if not outputs:
            return ModelSegment(None, (), hands_on, wanted)
        reads = {
            name for node in nodes for name in (*node.input, *iterate_names_read_in_bodies(node))
        }
        inputs = tuple(name for name in self._born if name in live and name in reads)
        large = self._gather_large(reads) | rewiring.constants
        model = self._write(nodes, inputs, outputs, reads, large)
        session = open_session(
            model.SerializeToString(), threads=threads, constants=large, providers=self._providers
        )
        return ModelSegment(session, inputs, hands_on, wanted)

    def _gather_large(self, reads: set[str]) -> dict[str, np.ndarray]:
        """Return the values of the large constants among some names: each is in memory once."""
        found = {}
        for tensor in self._model.graph.initializer:
            if tensor.name in reads and (lies_beside(tensor) or measure_tensor(tensor) > SMALL):
                if tensor.name not in self._values:
                    self._values[tensor.name] = read_values(tensor, folder=self._folder)
                found[tensor.name] = self._values[tensor.name]
        return found

    def _find_varying(self) -> set[str]:
        """Name the tensors that rest on what is fed, or on chance."""
        varying = set(self.view.fed)
        for node, reads in zip(self.view.nodes, self._reads, strict=True):
            if node.op_type in RANDOM or varying.intersection(reads):
                varying.update(filter(None, node.output))
        return varying

    def _find_lives(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return where each varying tensor is made (-1: fed), and where it is last read."""
        born = {name: -1 for name in self.view.activations if name in self.view.fed}
        last: dict[str, int] = {}
        for index, node in enumerate(self.view.nodes):
            born |= {name: index for name in node.output if name in self._varying}
            last |= {name: index for name in self._reads[index] if name in self._varying}
        return born, last | dict.fromkeys(self.view.outputs, self.end)

    def _measure_widths(self) -> list[int | None]:
        """Return how many tensors cross before each node; None where one has no known type."""
        steps = [[0, 0] for _ in range(self.end + 2)]
        for name, born in self._born.items():
            last = self._last.get(name, -1)
            if last > born:
                for column in (0, *([] if self.view.dtype(name) else [1])):
                    steps[born + 1][column] += 1
                    steps[last + 1][column] -= 1
        widths = accumulate(step[0] for step in steps)
        untyped = accumulate(step[1] for step in steps)
        return [None if bad else width for width, bad in zip(widths, untyped, strict=True)]

    def _rate(self, place: int, widths: Sequence[int | None]) -> tuple[int, bool, int]:
        return widths[place] or 0, self.view.nodes[place].op_type not in WEIGHTED, place

    def _collect(self, start: int, stop: int, rewiring: Rewiring) -> list[onnx.NodeProto]:
        """Return the nodes of a part, rewired, with those that make the constants they read."""
        import onnx

        chosen: list[onnx.NodeProto] = []
        wanted: set[str] = set()
        for index in reversed(range(stop)):
            node = self.view.nodes[index]
            if index < start or not self._varying.intersection(node.output):
                if not self._varying.intersection(node.output) and wanted.intersection(node.output):
                    chosen.append(node)
                    wanted.update(self._reads[index])
                continue
            slots = {slot: name for (at, slot), name in rewiring.operands.items() if at == index}
            if slots:
                node = onnx.NodeProto.FromString(node.SerializeToString())
                for slot, name in slots.items():
                    node.input.extend([""] * (slot + 1 - len(node.input)))
                    node.input[slot] = name
            chosen.append(node)
            chosen += reversed(rewiring.before.get(index, ()))
            wanted.update(node.input, iterate_names_read_in_bodies(node))
        return chosen[::-1]

    def _write(
        self,
        nodes: Sequence[onnx.NodeProto],
        inputs: Sequence[str],
        outputs: Sequence[str],
        reads: set[str],
        large: Mapping[str, np.ndarray],
    ) -> onnx.ModelProto:
        import onnx

        source = self._model
        model = onnx.ModelProto(ir_version=source.ir_version)
        model.opset_import.extend(source.opset_import)
        model.functions.extend(source.functions)
        graph = model.graph
        graph.name = "part"
        graph.node.extend(nodes)
        graph.input.extend(self._describe(name) for name in inputs)
        graph.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
        small = (each for each in source.graph.initializer if each.name not in large)
        graph.initializer.extend(each for each in small if each.name in reads)
        graph.initializer.extend(_announce(name, values) for name, values in large.items())
        sparse = source.graph.sparse_initializer
        graph.sparse_initializer.extend(each for each in sparse if each.values.name in reads)
        return model

    def _describe(self, name: str) -> onnx.ValueInfoProto:
        import onnx

        dtype = self.view.dtype(name) or "float"
        dims = self.view.dims(name)
        shape = (
            None
            if dims is None
            else [f"{name}_{i}" if d is None else d for i, d in enumerate(dims)]
        )
        return onnx.helper.make_tensor_value_info(
            name, onnx.TensorProto.DataType.Value(dtype.upper()), shape
        )


def _announce(name: str, values: np.ndarray) -> onnx.TensorProto:
    """Return an initializer whose values a session is given apart."""
    import onnx

    tensor = onnx.TensorProto(name=name, dims=values.shape)
    tensor.data_type = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
    refer_to_file(tensor, "given", 0, values.nbytes)
    return tensor
