"""Compare what is built with the reference."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from trtbuild.core.digest import digest_of_tree
from trtbuild.core.errors import StepInputError
from trtbuild.data.base import Manifest
from trtbuild.measure.base import NO_CLASSES
from trtbuild.measure.gates import Gate, judge_gates
from trtbuild.measure.metrics import LABELLED, Metric
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.measuring import (
    Measuring,
    MeasuringStep,
    measure_all,
    tell_hidden_parts,
    tell_unmeasured,
)

if TYPE_CHECKING:
    from trtbuild.core.arrays import ArrayFile
    from trtbuild.core.comparison import Comparison, Measure

__all__ = ["CompareOutputs", "compare_outputs", "name_reference", "warn_of_samples"]


class CompareOutputs(MeasuringStep, Step):
    """Measure a candidate's outputs against the reference's, and judge the gates."""

    version: ClassVar[int] = 8
    outputs: ClassVar[Mapping[str, str]] = {"comparison": "comparison.json"}

    kind: Literal["compare"] = "compare"
    reference: Ref
    candidate: Ref
    data: DataInput
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...] = ()
    more: Measuring = Measuring()
    """What is measured beside plain metrics."""
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

    def run(self, context: Context) -> None:
        """Write comparison.json (core.comparison.Comparison).

        A failed gate is an answer, not an error: the comparison says so.

        Raises:
            StepInputError: the outputs are not of the samples that the data holds.
            CorruptObject: a file of outputs is torn.
        """
        comparison = compare_outputs(
            self, context, candidate=self.candidate_name, runner=context.runner
        )
        warn_of_samples(self.data.read_manifest(context), context)
        self._hold_data_apart(context)
        tell_hidden_parts(comparison.measures, context)
        tell_unmeasured(comparison.measures, context)
        self.write(context, "comparison", comparison)

    def _hold_data_apart(self, context: Context) -> None:
        """Say where calibration saw the same samples, or values of another scale."""
        from trtbuild.calib.broken_samples import find_broken_samples
        from trtbuild.data.likeness import find_shared_samples, find_unlike_scales

        if self.calibration is None:
            return
        from trtbuild.quant.rules.check import make_fault
        from trtbuild.quant.rules.faults import describe_fault

        seen, judged = context.read(self.calibration, Manifest), self.data.read_manifest(context)
        if told := find_shared_samples(seen, judged):
            context.events.warn(told)
        found = (find_broken_samples(each.peaks).values() for each in (seen, judged))
        broken = {sample.tensor for each in found for sample in each}
        for reason in find_unlike_scales(seen, judged, broken=broken):
            fault = make_fault("TB406", reason, off=self.off)
            tell = context.events.note if fault.off else context.events.warn
            tell(describe_fault(fault))


def warn_of_samples(judged: Manifest, context: Context) -> None:
    """Say which samples decide all figures alone, and where most are the same ones again."""
    from trtbuild.calib.broken_samples import find_broken_samples
    from trtbuild.data.likeness import find_repeated_samples

    for index, each in sorted(find_broken_samples(judged.peaks).items()):
        context.events.warn(
            f"sample {index} of those that are compared on holds {each.peak:.6g} in "
            f"`{each.tensor}`, {each.peak / each.sound_peak:.4g} times the largest value of all "
            "others: it may decide figures alone; mend it, or take it out of the data"
        )
    if told := find_repeated_samples(judged):
        context.events.warn(told)


class _Compared(Protocol):
    """What a step that compares says of it."""

    @property
    def reference(self) -> Ref:
        """The reference's outputs."""

    @property
    def reference_model(self) -> Ref | None:
        """The model that made them; None where an engine did."""

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
        """What is measured of each output."""

    @property
    def more(self) -> Measuring:
        """What is measured beside that."""

    @property
    def gates(self) -> tuple[Gate, ...]:
        """What is judged, measured even where `metrics` does not list it."""


def compare_outputs(
    step: _Compared,
    context: Context,
    *,
    candidate: str,
    runner: str,
    reference_runner: str = "",
    any_reference: bool = False,
) -> "Comparison":
    """Compare the outputs that a step names; the words say of what they are, and what ran.

    Gates that hold the candidate against a quantized reference are not judged, unless `any` will
    do, nor are those on outputs behind a plugin, which only an engine has.

    Raises:
        StepInputError: the outputs are not of the samples that the data holds.
        CorruptObject: a file of outputs is torn.
    """
    from trtbuild.core.arrays import ArrayFile

    numbers, behind = _describe_reference(step.reference_model, context)
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
    unjudged = "" if any_reference else _explain_unjudged(numbers, name)
    if not measured and not unjudged:
        unjudged = f"all outputs stand behind {next(iter(behind.values()))}"
    _note_unlabelled(step, context, labelled=manifest.labelled)
    found = measure_all(
        step.more,
        context,
        metrics=[*step.metrics, *(gate.metric for gate in step.gates)],
        files=list(files.values()),
        names=measured,
        manifest=manifest,
        confidences=[gate.confidence for gate in step.gates if gate.confidence is not None],
    )
    measures = tuple(_doubt_weights(found, context.caveats))
    from trtbuild.core.comparison import Comparison

    return Comparison(
        reference=f"{name} ({reference_runner})" if reference_runner else name,
        reference_type=numbers or "reference",
        candidate=candidate,
        runner=runner,
        samples=manifest.count,
        data=digest_of_tree([list(manifest.samples), list(manifest.labels)]),
        labelled=manifest.labelled,
        measures=measures,
        verdicts=judge_gates(step.gates, measures, samples=manifest.count, unjudged=unjudged),
        caveats=context.caveats,
    )


def _note_unlabelled(step: _Compared, context: Context, *, labelled: bool) -> None:
    asked = dict.fromkeys([*step.metrics, *(gate.metric for gate in step.gates)])
    if not labelled and (unlabelled := [each for each in asked if each in LABELLED]):
        context.events.note(f"{', '.join(unlabelled)}: not measured, {NO_CLASSES}")


def _describe_reference(model: Ref | None, context: Context) -> tuple[str, Mapping[int, str]]:
    """Return the type of a model's numbers, and which outputs stand behind a plugin.

    Nothing of an engine, in which neither shows.
    """
    from trtbuild.model.number_type import describe_number_type
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.model.plugins import find_behind

    if model is None:
        return "", {}
    found = load_bare(context.path(model))
    return describe_number_type(found), find_behind(found.graph.node)


def name_reference(numbers: str, name: str) -> str:
    """Name a reference for what it is: by the type of its numbers, and its name if it has one."""
    from trtbuild.model.number_type import FLOAT_NAMES

    if name:
        return f"{name} ({numbers})" if numbers else name
    if numbers not in FLOAT_NAMES.values():
        return f"source as it came: {numbers}"
    return "FP32 model" if numbers == "FP32" else f"{numbers} source"


def _explain_unjudged(numbers: str, name: str) -> str:
    """Say why no gate can hold a candidate against a reference; nothing where one can."""
    from trtbuild.model.number_type import FLOAT_NAMES

    if numbers in FLOAT_NAMES.values():
        return ""
    return (
        f"there is no float model to compare with, only the {name}; name one: "
        "`compare: {reference: {kind: onnx, path: ...}}`"
    )


def _join(one: Sequence[str], other: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*one, *other]))


def _doubt_weights(measures: "Sequence[Measure]", caveats: Sequence[str]) -> "Iterator[Measure]":
    """Say of shares beside seeded weights that they are of answers that mean nothing."""
    from trtbuild.sources.torch_module import SEEDED

    doubt = f"{SEEDED}: what they answer means nothing, and so does a share of it"
    for each in measures:
        moot = SEEDED in caveats and each.unit == "share" and each.applies
        yield each.model_copy(update={"doubt": doubt}) if moot else each


def _demand_samples(side: str, file: "ArrayFile", count: int) -> None:
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
