"""What a comparison measures: plain metrics on outputs and their parts, and tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import INFERENCE_DEVICE, Needs
from trtbuild.core.options import Location, Options
from trtbuild.core.user_code import UserCode
from trtbuild.data.base import Manifest
from trtbuild.measure.base import NO_CLASSES, NO_LABELS
from trtbuild.measure.kinds import AnyMetric
from trtbuild.measure.metrics import METRIC_ROWS
from trtbuild.steps.base import Context, Pinned, Ref

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.arrays import ArrayFile
    from trtbuild.core.comparison import Measure
    from trtbuild.measure.pairs import Output

__all__ = [
    "Measuring",
    "MeasuringStep",
    "TaskInput",
    "demand_part",
    "measure_all",
    "tell_hidden_parts",
    "tell_unmeasured",
]


class TaskInput(Options):
    """A metric with options, and the files that it reads."""

    metric: AnyMetric
    names: tuple[str, ...] = ()
    """What the metric calls the files, in their order: part of what they say."""
    files: tuple[Pinned, ...] = ()


class Measuring(Options):
    """What is measured beside plain metrics of whole outputs."""

    tasks: tuple[TaskInput, ...] = ()
    parts: dict[str, str] = {}
    """Parts of outputs, by the names that the recipe gives them: `output0[:, 4:]`."""
    samples: tuple[str, ...] = ()
    """The file that each sample came from, where a task may ask for it."""
    labels: Ref | None = None
    """The labels of the data where these may be arrays."""
    base: Location = ""
    """The folder that paths in the recipe relate to."""

    def list_packages(self) -> tuple[str, ...]:
        """Name the packages whose version may change a figure: NumPy sums the squares."""
        named = {name for task in self.tasks for name in task.metric.fact_names()}
        return tuple(sorted({"numpy", *named}))

    def user_code(self) -> UserCode | None:
        """Say what code of the user's measures, where some does."""
        own = [task for task in self.tasks if task.metric.kind == "python"]
        if not own:
            return None
        metrics = [task.metric for task in own if task.metric.kind == "python"]
        return UserCode(
            base=self.base,
            known=tuple(pinned.path for task in own for pinned in task.files),
            files=tuple(name for metric in metrics for name in metric.files),
            environment=tuple(
                dict.fromkeys(name for metric in metrics for name in metric.environment)
            ),
            options={
                f"{number}.{name}": value
                for number, metric in enumerate(metrics)
                for name, value in metric.options.items()
            },
        )


class MeasuringStep:
    """What the steps that compare outputs have in common."""

    if TYPE_CHECKING:
        more: Measuring

    def fact_names(self) -> tuple[str, ...]:
        """Name the packages that may change a figure, and what ran both."""
        return (*self.more.list_packages(), INFERENCE_DEVICE)

    def user_code(self) -> UserCode | None:
        """Say what code of the user's measures, where some does."""
        return self.more.user_code()

    def needs(self) -> Needs:
        """Need a process of its own where code of the user's runs."""
        return Needs(own_process=self.user_code() is not None)


def measure_all(
    asked: Measuring,
    context: Context,
    *,
    files: Sequence[ArrayFile],
    names: Sequence[str],
    metrics: Sequence[str],
    manifest: Manifest,
    confidences: Sequence[float],
) -> tuple[Measure, ...]:
    """Measure each output and each part that is named, then the tasks.

    `files` are the reference's and the candidate's. Of `metrics`, those that gates ask for may be
    figures of tasks; `confidences` are those of their intervals.

    Raises:
        StepInputError: a part is none of its output, or a task does not fit.
        MissingDependency: a task needs a library that is not installed.
    """
    from trtbuild.measure.intervals import list_confidences
    from trtbuild.measure.outputs import measure_output
    from trtbuild.measure.parts import parse_part

    sides = [{name: file.read_rows(name) for name in names if name in file.names} for file in files]
    parts = {name: parse_part(text) for name, text in asked.parts.items()}
    for name, part in parts.items():
        for side in sides:
            if part.output in side:
                demand_part(name, asked.parts[name], side[part.output])
                side[name] = part.cut(side[part.output])
        if not any(name in side for side in sides):
            known = ", ".join(names)
            raise StepInputError(
                f"`compare.outputs`: there is no output `{part.output}` (of `{name}`)",
                hint=f"outputs: {known}",
            )
    rows = [each for each in METRIC_ROWS if each in metrics]
    rows.sort(key=list(metrics).index)
    labels = _labels(manifest)
    sure = list_confidences(confidences)
    cut = {part.output for part in parts.values()}
    found: list[Measure] = []
    every = [*names, *parts]
    for done, name in enumerate(every):
        context.events.progress(done, len(every), "outputs")
        found += measure_output(
            name,
            sides[0].get(name),
            sides[1].get(name),
            metrics=rows,
            labels=labels,
            confidences=sure,
            whole=name not in cut and name not in parts,
        )
    context.events.progress(len(every), len(every), "outputs")
    found += _measure_tasks(
        asked, context, sides=sides, parts=frozenset(parts), manifest=manifest, confidences=sure
    )
    return tuple(found)


def demand_part(name: str, text: str, output: Output) -> None:
    """Demand that a part of an output is one; `name` is what the recipe calls it.

    Raises:
        StepInputError: it is not; says why.
    """
    from trtbuild.measure.pairs import list_row_shapes
    from trtbuild.measure.parts import parse_part

    for shape in dict.fromkeys(list_row_shapes(output)):
        why = parse_part(text).explain_misfit((None, *shape))
        if why:
            raise StepInputError(
                f"`compare.outputs`: `{name}: {text}`: {why}",
                hint=f"a sample of the output is {list(shape)}",
            )


def _measure_tasks(
    asked: Measuring,
    context: Context,
    *,
    sides: Sequence[Mapping[str, Output]],
    parts: frozenset[str],
    manifest: Manifest,
    confidences: Sequence[float],
) -> tuple[Measure, ...]:
    if not asked.tasks:
        return ()
    from trtbuild.measure.base import Subject
    from trtbuild.measure.tasks import Task, describe_output, measure_tasks
    from trtbuild.steps.capture_labels import Truths

    reference, candidate = sides
    truths = None
    if asked.labels is not None:
        truths = Truths(context.path(asked.labels), manifest.count)
    subject = Subject(
        outputs={name: describe_output(name, rows) for name, rows in reference.items()},
        inputs={spec.name: spec for spec in manifest.tensors},
        samples=manifest.count,
        names=asked.samples if len(asked.samples) == manifest.count else (),
        classes=manifest.labels if manifest.labelled else None,
        parts=parts,
        truth=truths.spec if truths else None,
    )
    tasks = [
        Task(each.metric, dict(zip(each.names, _paths(each, context), strict=True)))
        for each in asked.tasks
    ]
    return measure_tasks(
        tasks,
        subject,
        reference=reference,
        candidate=candidate,
        confidences=confidences,
        **({"truths": truths.row} if truths else {}),
        tell=lambda done: context.events.progress(done, manifest.count, "samples"),
    )


def _paths(task: TaskInput, context: Context) -> list[Path]:
    return [context.path(pinned) for pinned in task.files]


def _labels(manifest: Manifest) -> np.ndarray | None:
    import numpy as np

    return np.array(manifest.labels, dtype=np.int64) if manifest.labelled else None


def tell_hidden_parts(measures: Sequence[Measure], context: Context) -> None:
    """Warn where parts of an output differ so much in scale that one decides its figures."""
    from trtbuild.core.words import format_figure

    for output in dict.fromkeys(each.part_of for each in measures if each.part_of):
        for whole in measures:
            parts = [
                each
                for each in measures
                if each.part_of == output and each.metric == whole.metric and each.value is not None
            ]
            if whole.output != output or whole.value is None or not parts:
                continue
            told = " and ".join(
                f"{format_figure(each.value or 0.0, each.unit)} of `{each.output}`"
                for each in parts
            )
            context.events.warn(
                f"`{output}` holds parts of unlike scale, and the largest decides its figures: "
                f"{whole.metric} is {format_figure(whole.value, whole.unit)}, and {told} "
                "(hint: give the parts names, which gates can judge: `compare: {outputs: "
                f'{{part: "{parts[-1].output}"}}}}`)'
            )
            break


def tell_unmeasured(measures: Sequence[Measure], context: Context) -> None:
    """Say why metrics by labels say nothing of any output, and of all metrics where none does."""
    silent: dict[str, list[str]] = {}
    for metric in dict.fromkeys(each.metric for each in measures):
        mine = [each for each in measures if each.metric == metric]
        if not any(each.applies for each in mine):
            why = "; ".join(dict.fromkeys(each.remark for each in mine if each.remark))
            silent.setdefault(why, []).append(metric)
    if not any(each.applies for each in measures):
        told = "; ".join(f"{', '.join(names)}: {why}" for why, names in silent.items())
        context.events.warn(
            f"nothing was compared: no metric says anything of an output ({told}; hint: `trtbuild "
            "kinds compare` lists the metrics; `top1_agreement` is for classes)"
        )
        return
    own = {each.metric for each in measures if each.own}
    for why, names in silent.items():
        labelled = [name for name in names if name in own]
        if labelled and why not in (NO_LABELS, NO_CLASSES):
            context.events.note(f"{', '.join(labelled)}: not measured: {why}")
