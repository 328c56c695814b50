"""Compare FP32 with INT8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from trtbuild.core.arrays import ArrayFile
from trtbuild.core.errors import StepInputError
from trtbuild.core.records import Comparison, Measure
from trtbuild.data.base import Manifest
from trtbuild.measure.gates import Gate
from trtbuild.measure.metrics import LABELLED, Metric
from trtbuild.measure.outputs import measure_output
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    import numpy as np

__all__ = ["RUNNER", "CompareOutputs", "compare_outputs"]

RUNNER = "ONNX Runtime on the CPU"


class CompareOutputs(Step):
    """Measure a candidate's outputs against the reference's, and judge the gates."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"comparison": "comparison.json"}

    kind: Literal["compare"] = "compare"
    reference: Ref
    candidate: Ref
    data: DataInput
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...] = ()
    candidate_name: str = "INT8 model (Q/DQ)"
    """What the candidate is, for a reader; the reference is always the FP32 model."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the facts that may change what this step makes: NumPy sums the squares."""
        return ("numpy",)

    def run(self, context: Context) -> None:
        """Write comparison.json (core.records.Comparison).

        A failed gate is an answer, not an error: the comparison says so.

        Raises:
            StepInputError: the outputs are not of the samples that the data holds.
            CorruptObject: a file of outputs is torn.
        """
        comparison = compare_outputs(
            self, context, reference="FP32 model", candidate=self.candidate_name, runner=RUNNER
        )
        self.write(context, "comparison", comparison)


class _Compared(Protocol):
    """What a step that compares says of it."""

    @property
    def reference(self) -> Ref:
        """The reference's outputs."""

    @property
    def candidate(self) -> Ref:
        """The candidate's outputs."""

    @property
    def data(self) -> DataInput:
        """What both ran on."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured."""

    @property
    def gates(self) -> tuple[Gate, ...]:
        """What is judged, measured even where `metrics` does not list it."""


def compare_outputs(
    step: _Compared, context: Context, *, reference: str, candidate: str, runner: str
) -> Comparison:
    """Compare the outputs that a step names; the words say of what they are, and what ran.

    Raises:
        StepInputError: the outputs are not of the samples that the data holds.
        CorruptObject: a file of outputs is torn.
    """
    manifest = step.data.read_manifest(context)
    files = {
        "reference": ArrayFile(context.path(step.reference)),
        "candidate": ArrayFile(context.path(step.candidate)),
    }
    for side, file in files.items():
        _demand_samples(side, file, manifest.count)
    measures = _measure_all(step, context, **files, labels=_labels(manifest))
    return Comparison(
        reference=reference,
        candidate=candidate,
        runner=runner,
        samples=manifest.count,
        labelled=manifest.labelled,
        measures=measures,
        verdicts=tuple(verdict for gate in step.gates for verdict in gate.judge(measures)),
        caveats=context.caveats,
    )


def _measure_all(
    step: _Compared,
    context: Context,
    *,
    reference: ArrayFile,
    candidate: ArrayFile,
    labels: np.ndarray | None,
) -> tuple[Measure, ...]:
    gated = [gate.metric for gate in step.gates]
    metrics = list(dict.fromkeys([*step.metrics, *gated]))
    if labels is None and (unlabelled := [each for each in metrics if each in LABELLED]):
        context.events.note(f"{', '.join(unlabelled)}: not measured, the data has no labels")
    names = list(dict.fromkeys([*reference.names, *candidate.names]))
    found: list[Measure] = []
    for done, name in enumerate(names):
        context.events.progress(done, len(names), "outputs")
        found += measure_output(
            name,
            reference.read_rows(name) if name in reference.names else None,
            candidate.read_rows(name) if name in candidate.names else None,
            metrics=metrics,
            labels=labels,
        )
    context.events.progress(len(names), len(names), "outputs")
    return tuple(found)


def _labels(manifest: Manifest) -> np.ndarray | None:
    import numpy as np

    return np.array(manifest.labels, dtype=np.int64) if manifest.labelled else None


def _demand_samples(side: str, file: ArrayFile, count: int) -> None:
    for name in file.names:
        if file.count(name) != count:
            raise StepInputError(
                f"the {side}'s output `{name}` has shape {list(file.shape(name))}, but the data "
                f"holds {count} samples",
                hint="axis 0 of every model output must be the batch",
            )
    if not file.names or not count:
        raise StepInputError(
            f"the {side} has no outputs to compare" if count else "the data holds no samples",
            hint="look at the outcome of the infer step",
        )
