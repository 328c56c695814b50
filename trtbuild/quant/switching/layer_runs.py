"""Run a model with one layer in INT8, or all but one, for little more than the rest of the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.model.nodes import name_of
from trtbuild.model.segments import Part, SegmentedModel, State
from trtbuild.model.view import Site
from trtbuild.quant.switching.operands import QuantizedOperands
from trtbuild.quant.switching.switches import Switches, find_switches

if TYPE_CHECKING:
    import numpy as np
    import onnx

__all__ = ["LayerModel", "LayerRuns", "Operand", "OwnRun", "Run", "Stretch"]

Outputs = Mapping[str, "np.ndarray"]


class Operand(NamedTuple):
    """An activation that an INT8 layer read."""

    tensor: str
    limit: float
    values: np.ndarray
    """In float, before it was quantized."""
    integers: np.ndarray


class OwnRun(NamedTuple):
    """What a layer made of the same input in float and in INT8."""

    exact: np.ndarray
    quantized: np.ndarray
    operands: tuple[Operand, ...]


class Run(NamedTuple):
    """The outputs of a model of which some layers were INT8, on one feed."""

    layers: str
    """`none`, `all`, `one`, or `others`: all but one."""
    layer: int
    """Which one, by place; -1 for none and all."""
    outputs: Outputs
    own: OwnRun | None = None
    """Of `one`."""


class Stretch(NamedTuple):
    """Nodes between two cuts, and the layers among them."""

    start: int
    stop: int
    layers: tuple[int, ...]


class LayerModel:
    """A float model, what quantization made of it, and where both are cut."""

    def __init__(
        self,
        model: onnx.ModelProto,
        operands: QuantizedOperands,
        layers: Sequence[str],
        *,
        folder: Path,
    ) -> None:
        """Take the float model, bare, as it lies in a folder, and the names of its INT8 layers."""
        self.parts = SegmentedModel(model, folder=folder)
        self.operands = operands
        view = self.parts.view
        wanted = set(layers)
        places = {index for index, node in enumerate(view.nodes) if name_of(node) in wanted}
        self.switches: Switches = find_switches(view, operands.found, places)

    def name(self, layer: int) -> str:
        """Return the name of a layer."""
        return name_of(self.parts.view.nodes[layer])

    def cut(self) -> tuple[Stretch, ...]:
        """Cut the model so that all that stands and falls with a layer lies between two cuts."""
        layers = self.switches.layers
        spans = [self._find_span(layer) for layer in layers]
        cuts = [
            cut
            for cut in self.parts.choose_cuts(layers)
            if not any(first < cut <= last for first, last in spans)
        ]
        ends = zip([0, *cuts], [*cuts, self.parts.end], strict=True)
        return tuple(
            Stretch(start, stop, tuple(each for each in layers if start <= each < stop))
            for start, stop in ends
        )

    def _find_span(self, layer: int) -> tuple[int, int]:
        """Return the first and the last node that change with a layer."""
        everything = self.switches.layers
        others = self.switches.find_active([each for each in everything if each != layer])
        moved = self.switches.find_active(everything) ^ others
        places = [index for index, _ in moved | self.switches.find_active([layer], alone=True)]
        return min([layer, *places]), max([layer, *places])

    def find_sites(self, layers: Sequence[int], *, alone: bool = False) -> frozenset[Site]:
        """Return the operands that read INT8 while these layers are in it."""
        return self.switches.find_active(set(layers), alone=alone)

    def list_activations(self, layer: int) -> list[tuple[Site, str]]:
        """Return a layer's operands that are quantized as the model runs, with their tensors."""
        return [
            (site, operand.source)
            for site, operand in sorted(self.operands.found.items())
            if site[0] == layer and not operand.integers
        ]

    def open(
        self, start: int, stop: int, sites: frozenset[Site], *, taps: Sequence[str], threads: int
    ) -> Part:
        """Open a run of nodes in which these operands read INT8."""
        rewiring = self.operands.rewire(site for site in sites if start <= site[0] < stop)
        return self.parts.open(start, stop, rewiring, taps=taps, threads=threads)


@dataclass(frozen=True)
class _Variant:
    layer: int
    alone: Part
    others: Part


@dataclass(frozen=True)
class _OpenStretch:
    tapped: Part
    """In float; hands out what its layers read and make as well."""
    exact: Part
    full: Part
    """With all its layers in INT8."""
    variants: tuple[_Variant, ...]


class LayerRuns:
    """The layers of some neighbouring stretches of a model, ready to be run one by one.

    What comes before them is computed once in float and once in INT8; behind a layer, only the
    rest of the way is computed again. Sessions hold constants, as in any other model, so that ONNX
    Runtime makes the most of them.
    """

    def __init__(
        self,
        model: LayerModel,
        stretches: Sequence[Stretch],
        layers: Sequence[int],
        *,
        threads: int,
    ) -> None:
        """Open all sessions: of the `layers` among those stretches, by place."""
        self._model = model
        self._threads = threads
        self._float: frozenset[Site] = frozenset()
        self._int8 = model.find_sites(model.switches.layers)
        start, stop = stretches[0].start, stretches[-1].stop
        self._before = [self._open(0, start, sites) for sites in (self._float, self._int8)]
        self._stretches = [self._open_stretch(each, layers) for each in stretches]
        end = model.parts.end
        self._behind = [self._open(stop, end, sites) for sites in (self._float, self._int8)]

    def run(self, feed: State, *, whole: bool = False) -> Iterator[Run]:
        """Run everything on a feed: first `none`, then each layer as `one` and `others`.

        With `whole`, `all` comes second: the model as it was quantized.

        Raises:
            StepInputError: ONNX Runtime cannot run the model on this.
        """
        exact, tapped = [self._before[0].run(feed)[0]], []
        full = [self._before[1].run(feed)[0]]
        for stretch in self._stretches:
            state, taps = stretch.tapped.run(exact[-1])
            exact.append(state)
            tapped.append(taps)
            full.append(stretch.full.run(full[-1])[0])
        yield Run("none", -1, self._behind[0].run(exact[-1])[0])
        if whole:
            yield Run("all", -1, self._behind[1].run(full[-1])[0])
        for place, stretch in enumerate(self._stretches):
            for variant in stretch.variants:
                state, taps = variant.alone.run(exact[place])
                own = self._look(variant.layer, tapped[place], taps)
                yield Run("one", variant.layer, self._finish(state, place, quantized=False), own)
                state, _ = variant.others.run(full[place])
                yield Run("others", variant.layer, self._finish(state, place, quantized=True))

    def _finish(self, state: State, place: int, *, quantized: bool) -> Outputs:
        for stretch in self._stretches[place + 1 :]:
            state, _ = (stretch.full if quantized else stretch.exact).run(state)
        return self._behind[quantized].run(state)[0]

    def _look(self, layer: int, exact: Outputs, quantized: Outputs) -> OwnRun:
        operands = self._model.operands
        result = self._model.parts.view.nodes[layer].output[0]
        read = []
        for site, tensor in self._model.list_activations(layer):
            found, integers = operands.found[site], quantized[operands.name_integers(site)]
            read.append(Operand(found.tensor, found.limit, exact[tensor], integers))
        return OwnRun(exact[result], quantized[result], tuple(read))

    def _open(
        self, start: int, stop: int, sites: frozenset[Site], taps: Sequence[str] = ()
    ) -> Part:
        return self._model.open(start, stop, sites, taps=taps, threads=self._threads)

    def _open_stretch(self, stretch: Stretch, layers: Sequence[int]) -> _OpenStretch:
        start, stop, own = stretch
        chosen = [layer for layer in own if layer in set(layers)]
        results = [self._model.parts.view.nodes[layer].output[0] for layer in chosen]
        read = [tensor for layer in chosen for _, tensor in self._model.list_activations(layer)]
        return _OpenStretch(
            tapped=self._open(start, stop, self._float, [*results, *read]),
            exact=self._open(start, stop, self._float),
            full=self._open(start, stop, self._int8),
            variants=tuple(self._open_variant(stretch, layer) for layer in chosen),
        )

    def _open_variant(self, stretch: Stretch, layer: int) -> _Variant:
        model = self._model
        everything = model.switches.layers
        result = model.parts.view.nodes[layer].output[0]
        integers = [model.operands.name_integers(site) for site, _ in model.list_activations(layer)]
        others = [each for each in everything if each != layer]
        start, stop, _ = stretch
        return _Variant(
            layer,
            alone=self._open(
                start, stop, model.find_sites([layer], alone=True), [result, *integers]
            ),
            others=self._open(start, stop, model.find_sites(others)),
        )
