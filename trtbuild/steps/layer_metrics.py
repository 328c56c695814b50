"""What is measured of each layer: what the recipe lists, on the samples that were picked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.sensitivity import PickedSamples
from trtbuild.data.base import Manifest
from trtbuild.measure.metrics import Metric
from trtbuild.measure.parts import OutputPart, parse_part
from trtbuild.measure.tally import TallyPlan
from trtbuild.steps.base import Context
from trtbuild.steps.measuring import Measuring, demand_part

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.measure.tasks import RunningTasks

__all__ = ["SURVEYED", "plan_tally"]

Rows = Mapping[str, "np.ndarray"]
SURVEYED = 4
"""Samples on which it is seen whether an output holds parts of unlike scale."""


def plan_tally(
    metrics: Sequence[Metric],
    asked: Measuring,
    context: Context,
    *,
    manifest: Manifest,
    picked: PickedSamples,
    first: Sequence[Rows],
) -> TallyPlan:
    """Say what is measured, given what the float model makes of the first samples, row by row.

    Signal over noise is measured in any case, and of parts that the whole would hide too.

    Raises:
        StepInputError: a part that the recipe names is none of its output.
    """
    import numpy as np

    named = {name: _read_part(name, text, first[0]) for name, text in asked.parts.items()}
    cut = {part.output for part in named.values()}
    hidden = {
        name: part
        for output in first[0]
        if output not in cut
        for name, part in _survey(output, [rows[output] for rows in first]).items()
    }
    return TallyPlan(
        metrics=tuple(dict.fromkeys((*metrics, "sqnr_db"))),
        labels=np.array(picked.labels, np.int64) if picked.labels else None,
        parts={**named, **hidden},
        hidden=frozenset(hidden),
        begin=_begin(asked, context, manifest, picked, frozenset(named)) if asked.tasks else None,
    )


def _read_part(name: str, text: str, outputs: Rows) -> OutputPart:
    part = parse_part(text)
    if part.output not in outputs:
        raise StepInputError(
            f"`compare.outputs`: there is no output `{part.output}` (of `{name}`)",
            hint=f"outputs: {', '.join(outputs)}",
        )
    demand_part(name, text, outputs[part.output][None])
    return part


def _survey(name: str, rows: Sequence[np.ndarray]) -> Mapping[str, OutputPart]:
    from trtbuild.measure.scales import ScaleSurvey

    if rows[0].dtype.kind != "f":
        return {}
    survey = ScaleSurvey(name, [row.shape for row in rows])
    for row in rows:
        survey.add(row[None])
    return survey.find_parts()


def _begin(
    asked: Measuring,
    context: Context,
    manifest: Manifest,
    picked: PickedSamples,
    parts: frozenset[str],
) -> Callable[[Rows], RunningTasks]:
    """Return what begins the tasks anew, given the outputs of a sample."""
    from trtbuild.measure.base import Subject
    from trtbuild.measure.tasks import RunningTasks, Task, describe_output
    from trtbuild.steps.capture_labels import Truths

    tasks = [
        Task(
            each.metric,
            {n: context.path(file) for n, file in zip(each.names, each.files, strict=True)},
        )
        for each in asked.tasks
    ]
    known = len(asked.samples) == manifest.count
    labels = Truths(context.path(asked.labels), manifest.count) if asked.labels else None

    def truth(index: int) -> np.ndarray | None:
        return labels.row(picked.places[index]) if labels else None

    def begin(outputs: Rows) -> RunningTasks:
        subject = Subject(
            outputs={name: describe_output(name, row[None]) for name, row in outputs.items()},
            inputs={spec.name: spec for spec in manifest.tensors},
            samples=len(picked.names),
            names=tuple(asked.samples[place] for place in picked.places) if known else (),
            classes=picked.labels or None,
            parts=parts,
            truth=labels.spec if labels else None,
        )
        return RunningTasks(tasks, subject, truth)

    return begin
