"""Compare what is built with the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from trtbuild.core.arrays import ArrayFile
from trtbuild.core.digest import digest_of_tree
from trtbuild.core.errors import StepInputError
from trtbuild.core.records import Comparison, Measure
from trtbuild.data.base import Manifest
from trtbuild.data.likeness import find_shared_samples, find_unlike_scales
from trtbuild.measure.gates import Gate
from trtbuild.measure.metrics import LABELLED, Metric
from trtbuild.measure.outputs import measure_output
from trtbuild.model.number_type import FLOAT_NAMES
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    import numpy as np

__all__ = ["RUNNER", "CompareOutputs", "compare_outputs", "name_reference"]

RUNNER = "ONNX Runtime on the CPU"


class CompareOutputs(Step):
    """Measure a candidate's outputs against the reference's, and judge the gates."""

    version: ClassVar[int] = 5
    outputs: ClassVar[Mapping[str, str]] = {"comparison": "comparison.json"}

    kind: Literal["compare"] = "compare"
    reference: Ref
    candidate: Ref
    data: DataInput
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...] = ()
    reference_model: Ref
    """The model that the reference's outputs are of: what it is called is read from it."""
    reference_name: str = ""
    """What it is called beside the type of its numbers; empty where the candidate is made of it."""
    candidate_name: str = "INT8 model (Q/DQ)"
    """What the candidate is, for a reader."""
    calibration: Ref | None = None
    """The manifest of the data that calibration saw, where it did."""
    off: str = ""
    """Why it does not count where that data has another scale."""

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
        comparison = compare_outputs(self, context, candidate=self.candidate_name, runner=RUNNER)
        self._hold_data_apart(context)
        if not any(measure.applies for measure in comparison.measures):
            context.events.warn(
                "nothing was compared: no metric of the recipe says anything of an output (hint: "
                "`trtbuild kinds compare` lists the metrics; `top1_agreement` is for classes)"
            )
        self.write(context, "comparison", comparison)

    def _hold_data_apart(self, context: Context) -> None:
        """Say where calibration saw the same samples, or values of another scale."""
        if self.calibration is None:
            return
        from trtbuild.quant.rules.check import make_fault
        from trtbuild.quant.rules.faults import describe_fault

        seen, judged = context.read(self.calibration, Manifest), self.data.read_manifest(context)
        if told := find_shared_samples(seen, judged):
            context.events.warn(told)
        for reason in find_unlike_scales(seen, judged):
            fault = make_fault("TB406", reason, off=self.off)
            tell = context.events.note if fault.off else context.events.warn
            tell(describe_fault(fault))


class _Compared(Protocol):
    """What a step that compares says of it."""

    @property
    def reference(self) -> Ref:
        """The reference's outputs."""

    @property
    def reference_model(self) -> Ref:
        """The model that made them."""

    @property
    def reference_name(self) -> str:
        """What it is called beside the type of its numbers."""

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
    step: _Compared, context: Context, *, candidate: str, runner: str, reference_runner: str = ""
) -> Comparison:
    """Compare the outputs that a step names; the words say of what they are, and what ran.

    Gates that hold the candidate against a quantized reference are not judged, nor are those on
    outputs behind a plugin, which only an engine has.

    Raises:
        StepInputError: the outputs are not of the samples that the data holds.
        CorruptObject: a file of outputs is torn.
    """
    from trtbuild.model.number_type import describe_number_type
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.model.plugins import find_behind

    model = load_bare(context.path(step.reference_model))
    numbers, behind = describe_number_type(model), find_behind(model.graph.node)
    name = name_reference(numbers, step.reference_name)
    manifest = step.data.read_manifest(context)
    files = {
        "reference": ArrayFile(context.path(step.reference)),
        "candidate": ArrayFile(context.path(step.candidate)),
    }
    for side, file in files.items():
        _demand_samples(side, file, manifest.count)
    names = [list(file.names) for file in files.values()]
    measured = _join(*names) if not behind else [each for each in names[0] if each in names[1]]
    unjudged = _explain_unjudged(numbers, name)
    if not measured and not unjudged:
        unjudged = f"all outputs stand behind {next(iter(behind.values()))}"
    measures = _measure_all(step, context, **files, names=measured, labels=_labels(manifest))
    return Comparison(
        reference=f"{name} ({reference_runner})" if reference_runner else name,
        reference_type=numbers,
        candidate=candidate,
        runner=runner,
        samples=manifest.count,
        data=digest_of_tree([list(manifest.samples), list(manifest.labels)]),
        labelled=manifest.labelled,
        measures=measures,
        verdicts=tuple(
            verdict for gate in step.gates for verdict in gate.judge(measures, unjudged=unjudged)
        ),
        caveats=context.caveats,
    )


def name_reference(numbers: str, name: str) -> str:
    """Name a reference for what it is: by the type of its numbers, and its name if it has one."""
    if name:
        return f"{name} ({numbers})"
    if numbers not in FLOAT_NAMES.values():
        return f"source as it came: {numbers}"
    return "FP32 model" if numbers == "FP32" else f"{numbers} source"


def _explain_unjudged(numbers: str, name: str) -> str:
    """Say why no gate can hold a candidate against a reference; nothing where one can."""
    if numbers in FLOAT_NAMES.values():
        return ""
    return (
        f"there is no float model to compare with, only the {name}; name one: "
        "`compare: {reference: {kind: onnx, path: ...}}`"
    )


def _join(one: Sequence[str], other: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*one, *other]))


def _measure_all(
    step: _Compared,
    context: Context,
    *,
    reference: ArrayFile,
    candidate: ArrayFile,
    names: Sequence[str],
    labels: np.ndarray | None,
) -> tuple[Measure, ...]:
    gated = [gate.metric for gate in step.gates]
    metrics = list(dict.fromkeys([*step.metrics, *gated]))
    if labels is None and (unlabelled := [each for each in metrics if each in LABELLED]):
        context.events.note(f"{', '.join(unlabelled)}: not measured, the data has no labels")
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
