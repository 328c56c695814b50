"""What comes of layers in INT8, gathered while several feeds run at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.records import Measure
from trtbuild.core.sensitivity import LayerSensitivity
from trtbuild.measure.layer_use import OperandCount, OwnError
from trtbuild.measure.tally import Tally, TallyPlan
from trtbuild.steps.kept_outputs import KeptOutputs

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.model.feeds import Feed, Feeder
    from trtbuild.quant.switching.layer_runs import LayerRun, LayerRuns, OwnRun
    from trtbuild.steps.base import Events

__all__ = ["COUNTED", "LayerFindings"]

COUNTED = 8
"""Samples on which levels are counted: with more, hardly any comes in, and counting takes time."""
Rows = Mapping[str, "np.ndarray"]


class LayerFindings:
    """Figures of layers, one by one; it keeps numbers of each sample, and no outputs."""

    def __init__(self, plan: TallyPlan, outputs: Sequence[TensorSpec], feeder: Feeder) -> None:
        self._plan = plan
        self._reference = KeptOutputs(outputs, feeder, reference=True)
        self._candidate = KeptOutputs(outputs, feeder, reference=False)
        self._tallies: dict[tuple[str, int], Tally] = {}
        self._own: dict[int, OwnError] = {}
        self._operands: dict[int, list[OperandCount]] = {}
        self._lock = threading.Lock()
        self._done = 0

    def take(self, runs: LayerRuns, place: int, feed: Feed, events: Events, *, total: int) -> None:
        """Run everything on a feed, of which the first sample has this number, and take it in.

        Several threads may do so at a time. Of `total` passes each is counted as it is done.

        Raises:
            StepInputError: the model cannot be run on this, or an output cannot be kept.
        """
        reference: Rows = {}
        with feed.blamed():
            for run in runs.run(feed.arrays):
                with self._lock:
                    if run.layers == "none":
                        reference = dict(self._reference.rows(run.outputs, feed.samples))
                        continue
                    rows = dict(self._candidate.rows(run.outputs, feed.samples))
                    self._add(run, place, reference, rows)
                    if run.layer >= 0:
                        self._done += len(feed.samples)
                        events.progress(self._done, total, "passes")

    def _add(self, run: LayerRun, place: int, reference: Rows, candidate: Rows) -> None:
        key = (run.layers, run.layer)
        if key not in self._tallies:
            self._tallies[key] = Tally(self._plan)
        for offset in range(len(next(iter(reference.values()), ()))):
            sides = (
                {name: rows[offset] for name, rows in side.items()}
                for side in (reference, candidate)
            )
            self._tallies[key].add(place + offset, *sides)
        if run.own is not None:
            self._look(run.layer, place, run.own)

    def _look(self, layer: int, place: int, own: OwnRun) -> None:
        self._own.setdefault(layer, OwnError()).add(place, own.exact, own.quantized)
        counts = self._operands.setdefault(
            layer, [OperandCount(each.tensor, each.limit) for each in own.operands]
        )
        for count, operand in zip(counts, own.operands, strict=True):
            count.add(operand.values, operand.integers if place < COUNTED else None)

    def measure_whole(self) -> tuple[Measure, ...]:
        """Return the figures of the model with all layers in INT8; nothing if it was not run."""
        return self._measure("all", -1)

    def measure(self, layer: int, name: str, op: str) -> LayerSensitivity:
        """Return the figures of a layer that was run."""
        return LayerSensitivity(
            name=name,
            op=op,
            own_db=self._own[layer].measure(),
            operands=tuple(each.measure() for each in self._operands[layer]),
            alone=self._measure("one", layer),
            others=self._measure("others", layer),
        )

    def _measure(self, layers: str, layer: int) -> tuple[Measure, ...]:
        found = self._tallies.get((layers, layer))
        return () if found is None else found.measure()
