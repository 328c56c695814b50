"""Run models on some samples of a data set, and compare them there: what a search can afford."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.arrays import ArrayFile, RaggedRows
from trtbuild.core.comparison import Comparison
from trtbuild.core.digest import digest_of_tree
from trtbuild.core.needs import INFERENCE_BATCH, INFERENCE_DEVICE, Needs
from trtbuild.core.sensitivity import PickedSamples
from trtbuild.measure.gates import Gate, judge_gates
from trtbuild.measure.metrics import METRIC_ROWS, Metric
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.infer import write_outputs
from trtbuild.steps.known_outputs import KnownOutputs
from trtbuild.steps.layer_metrics import SURVEYED, plan_tally
from trtbuild.steps.measure_layers import read_picked, take_whole_batches
from trtbuild.steps.measuring import Measuring, MeasuringStep

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.data.base import Sample
    from trtbuild.model.feeds import Feeder

__all__ = ["CompareSome", "InferSome"]

Rows = Mapping[str, "np.ndarray"]


class InferSome(Step):
    """Run a model over samples that were picked, and keep its outputs, one array an output."""

    outputs: ClassVar[Mapping[str, str]] = {"outputs": "outputs.npz"}

    kind: Literal["infer_some"] = "infer_some"
    model: Ref
    data: DataInput
    samples: Ref
    picked: Ref
    known: KnownOutputs | None = None
    """What the same model made of some of them before: these are not run again."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the facts that may change what this step makes."""
        return ("onnxruntime", INFERENCE_DEVICE, INFERENCE_BATCH)

    def needs(self) -> Needs:
        """Run a model."""
        return Needs(inference=True)

    def run(self, context: Context) -> None:
        """Write outputs.npz; samples at the end that fill no batch are left out.

        Raises:
            StepInputError: a sample does not fit an input, or an output cannot be kept.
        """

        def choose(feeder: Feeder) -> tuple[Sequence[int], Iterator[Sample]]:
            picked = take_whole_batches(context.read(self.picked, PickedSamples), feeder)
            return picked.places, read_picked(context.path(self.samples), picked)

        write_outputs(
            self.out(context, "outputs"),
            context,
            model=self.model,
            data=self.data,
            choose=choose,
            reference=False,
            known=None if self.known is None else self.known.open(context),
        )


class CompareSome(MeasuringStep, Step):
    """Measure a candidate's outputs against the reference's on picked samples; judge the gates.

    Nothing but a search rests on it: there are no intervals but the usual one.
    """

    outputs: ClassVar[Mapping[str, str]] = {"comparison": "comparison.json"}

    kind: Literal["compare_some"] = "compare_some"
    reference: Ref
    candidate: Ref
    data: DataInput
    picked: Ref
    metrics: tuple[Metric, ...]
    more: Measuring = Measuring()
    """What is measured beside plain metrics."""
    gates: tuple[Gate, ...] = ()

    def run(self, context: Context) -> None:
        """Write comparison.json (core.comparison.Comparison).

        Raises:
            StepInputError: a metric does not fit the outputs.
            CorruptObject: a file of outputs is torn.
        """
        from trtbuild.measure.tally import Tally

        sides = [ArrayFile(context.path(each)) for each in (self.reference, self.candidate)]
        manifest, picked = (
            self.data.read_manifest(context),
            context.read(self.picked, PickedSamples),
        )
        names = [name for name in sides[0].names if name in sides[1].names]
        counts = [side.count(name) or 0 for side in sides for name in names]
        count = min(*counts, len(picked.names))
        picked = picked.model_copy(
            update={key: getattr(picked, key)[:count] for key in ("names", "places", "labels")}
        )
        rows = [_rows(side, names, picked) for side in sides]
        asked = {*self.metrics, *(gate.metric for gate in self.gates)}
        plan = plan_tally(
            tuple(each for each in METRIC_ROWS if each in asked),
            self.more,
            context,
            manifest=manifest,
            picked=picked,
            first=list(itertools.islice(_rows(sides[0], names, picked), SURVEYED)),
        )
        tally = Tally(plan)
        for index, (reference, candidate) in enumerate(zip(*rows, strict=True)):
            tally.add(index, reference, candidate)
        measures = tally.measure()
        found = Comparison(
            reference="reference",
            candidate="candidate",
            runner=context.runner,
            samples=count,
            data=digest_of_tree(list(picked.digests[:count])),
            labelled=manifest.labelled,
            measures=measures,
            verdicts=judge_gates(self.gates, measures, samples=count),
            caveats=context.caveats,
        )
        self.write(context, "comparison", found)


def _rows(file: ArrayFile, names: list[str], picked: PickedSamples) -> Iterator[Rows]:
    """Yield what was made of each sample that was picked, without a batch axis.

    The outputs are those of all samples, or of these.
    """
    read = {name: file.read_rows(name) for name in names}
    for index, place in enumerate(picked.places):
        yield {
            name: _row(rows, place if file.count(name) == picked.of else index)
            for name, rows in read.items()
        }


def _row(rows: np.ndarray | RaggedRows, index: int) -> np.ndarray:
    return rows.row(index) if isinstance(rows, RaggedRows) else rows[index]
