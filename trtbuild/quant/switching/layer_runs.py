"""Run a model with one layer in INT8, or all but one, for little more than the rest of the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.model.nodes import name_of
from trtbuild.model.providers import CPU, Providers
from trtbuild.model.segments import ModelSegment, SegmentedModel, SegmentState
from trtbuild.model.view import Site
from trtbuild.quant.switching.operands import QuantizedOperands
from trtbuild.quant.switching.switches import Switches, find_switches

if TYPE_CHECKING:
    import numpy as np
    import onnx

__all__ = ["LayerModel", "LayerRun", "LayerRuns", "Operand", "OwnRun", "Stretch"]

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


class LayerRun(NamedTuple):
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
        providers: Providers = CPU,
    ) -> None:
        """Take the float model, bare, as it lies in a folder, and the names of its INT8 layers.

        `providers` are what ONNX Runtime computes on.
        """
        self.parts = SegmentedModel(model, folder=folder, providers=providers)
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

    def find_start(self, layer: int, *, others: bool = False) -> int:
        """Return the first node that is another where a layer alone is in INT8.

        With `others`, where it alone is not.
        """
        sites = self._find_moved(layer) if others else self.find_sites([layer], alone=True)
        return min([layer, *(index for index, _ in sites)])

    def _find_span(self, layer: int) -> tuple[int, int]:
        """Return the first and the last node that change with a layer."""
        moved = self._find_moved(layer) | self.switches.find_active([layer], alone=True)
        places = [layer, *(index for index, _ in moved)]
        return min(places), max(places)

    def _find_moved(self, layer: int) -> frozenset[Site]:
        """Return the operands that are others where a layer alone is not in INT8."""
        everything = self.switches.layers
        others = self.switches.find_active([each for each in everything if each != layer])
        return self.switches.find_active(everything) ^ others

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
    ) -> ModelSegment:
        """Open a run of nodes in which these operands read INT8."""
        rewiring = self.operands.rewire(site for site in sites if start <= site[0] < stop)
        return self.parts.open(start, stop, rewiring, taps=taps, threads=threads)


class _Way(NamedTuple):
    """A way through the model: before the stretches that are looked at, in each, and behind."""

    before: ModelSegment
    stretches: tuple[ModelSegment, ...]
    behind: ModelSegment

    def march(
        self, feed: SegmentState, parts: Sequence[ModelSegment] = ()
    ) -> tuple[list[SegmentState], list[Outputs]]:
        """Return what is handed on in front of each stretch and behind the last, and taps of each.

        `parts` are the stretches where these are wanted.
        """
        states: list[SegmentState] = [self.before.run(feed)[0]]
        tapped: list[Outputs] = []
        for part in parts or self.stretches:
            state, taps = part.run(states[-1])
            states.append(state)
            tapped.append(taps)
        return states, tapped

    def finish(self, state: SegmentState, place: int) -> Outputs:
        """Return the outputs, given what is handed on in front of a stretch."""
        for part in self.stretches[place:]:
            state, _ = part.run(state)
        return self.behind.run(state)[0]


class _Variant(NamedTuple):
    """A stretch with one layer in INT8, and with all its layers but that one."""

    layer: int
    alone: ModelSegment
    others: ModelSegment | None


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
        whole: bool = False,
        others: bool = True,
    ) -> None:
        """Open all sessions: of the `layers` among those stretches, by place.

        With `whole`, the model is also run as it was quantized; without `others`, no layer is the
        only one that is not in INT8.
        """
        self._model = model
        self._threads = threads
        self._whole = whole
        chosen = [tuple(each for each in stretch.layers if each in layers) for stretch in stretches]
        self._float = self._open_way(stretches, frozenset())
        everything = model.find_sites(model.switches.layers)
        self._int8 = self._open_way(stretches, everything) if whole or others else None
        both = list(zip(stretches, chosen, strict=True))
        self._tapped = [self._open_tapped(*each) for each in both]
        self._tapped_int8 = [self._open_starts(*each, everything) for each in both if others]
        self._variants = [
            [self._open_variant(stretch, layer, others=others) for layer in own]
            for stretch, own in zip(stretches, chosen, strict=True)
        ]

    def run(self, feed: SegmentState) -> Iterator[LayerRun]:
        """Run everything on a feed: first `none`, then `all`, then each layer: `one` and `others`.

        Raises:
            StepInputError: ONNX Runtime cannot run the model on this.
        """
        exact, tapped = self._float.march(feed, self._tapped)
        yield LayerRun("none", -1, self._float.finish(exact[-1], len(tapped)))
        int8 = self._int8
        full, starts = ([], []) if int8 is None else int8.march(feed, self._tapped_int8)
        if int8 is not None and self._whole:
            yield LayerRun("all", -1, int8.finish(full[-1], len(tapped)))
        for place, variants in enumerate(self._variants):
            for layer, alone, others in variants:
                state, taps = alone.run({**exact[place], **tapped[place]})
                own = self._look(layer, tapped[place], taps)
                yield LayerRun("one", layer, self._float.finish(state, place + 1), own)
                if int8 is not None and others is not None:
                    state, _ = others.run({**full[place], **starts[place]})
                    yield LayerRun("others", layer, int8.finish(state, place + 1))

    def run_float(self, feed: SegmentState) -> Outputs:
        """Run the model in float alone.

        Raises:
            StepInputError: ONNX Runtime cannot run the model on this.
        """
        states, _ = self._float.march(feed)
        return self._float.finish(states[-1], len(self._float.stretches))

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
    ) -> ModelSegment:
        return self._model.open(start, stop, sites, taps=taps, threads=self._threads)

    def _open_way(self, stretches: Sequence[Stretch], sites: frozenset[Site]) -> _Way:
        return _Way(
            self._open(0, stretches[0].start, sites),
            tuple(self._open(each.start, each.stop, sites) for each in stretches),
            self._open(stretches[-1].stop, self._model.parts.end, sites),
        )

    def _open_tapped(self, stretch: Stretch, layers: Sequence[int]) -> ModelSegment:
        """Open a stretch in float that hands out what its layers read and make as well."""
        results = [self._model.parts.view.nodes[layer].output[0] for layer in layers]
        read = [tensor for layer in layers for _, tensor in self._model.list_activations(layer)]
        # A layer is run from where it begins, on what lies there.
        starts = {self._model.find_start(layer) for layer in layers}
        read += [name for start in sorted(starts) for name in self._model.parts.list_live(start)]
        return self._open(stretch.start, stretch.stop, frozenset(), [*results, *read])

    def _open_starts(
        self, stretch: Stretch, layers: Sequence[int], sites: frozenset[Site]
    ) -> ModelSegment:
        """Open a stretch in INT8 that hands out what lies where each of its layers begins."""
        starts = sorted({self._model.find_start(layer, others=True) for layer in layers})
        inner = [start for start in starts if start > stretch.start]
        read = [name for start in inner for name in self._model.parts.list_live(start)]
        return self._open(stretch.start, stretch.stop, sites, read)

    def _open_variant(self, stretch: Stretch, layer: int, *, others: bool) -> _Variant:
        model, stop = self._model, stretch.stop
        result = model.parts.view.nodes[layer].output[0]
        integers = [model.operands.name_integers(site) for site, _ in model.list_activations(layer)]
        rest = model.find_sites([each for each in model.switches.layers if each != layer])
        one = model.find_sites([layer], alone=True)
        return _Variant(
            layer,
            self._open(model.find_start(layer), stop, one, [result, *integers]),
            self._open(model.find_start(layer, others=True), stop, rest) if others else None,
        )
