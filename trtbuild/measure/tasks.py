"""Metrics with options: paired samples in one walk, figures and intervals at the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.arrays import RaggedRows
from trtbuild.core.comparison import Interval, Measure
from trtbuild.core.frozen import frozen
from trtbuild.measure.base import (
    CannotMeasure,
    CountingMeasurement,
    DrawingMeasurement,
    Figure,
    Measurement,
    MetricKind,
    PairedSample,
    Subject,
    Value,
)
from trtbuild.measure.bits import write_bits
from trtbuild.measure.described import describe_output, list_figures
from trtbuild.measure.intervals import (
    FEWEST,
    bootstrap_intervals,
    draw_samples,
    score_intervals,
)
from trtbuild.measure.pairs import Output
from trtbuild.measure.spoilt import SpoiltOutputs, find_spoilt

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "RunningTasks",
    "Task",
    "describe_output",
    "list_figures",
    "measure_tasks",
]


Truths = Callable[[int], "np.ndarray | None"]
"""The place of a sample → its label, where labels are arrays."""


def _no_truth(index: int) -> None:
    """There are no labels that are arrays."""


@frozen
class Task:
    """A metric with options, and the files that it reads."""

    metric: MetricKind
    files: Mapping[str, Path]


def measure_tasks(
    tasks: Sequence[Task],
    subject: Subject,
    *,
    reference: Mapping[str, Output],
    candidate: Mapping[str, Output],
    confidences: Sequence[float],
    truths: Truths = _no_truth,
    tell: Callable[[int], None] = lambda done: None,  # noqa: ARG005  # nobody listens
) -> tuple[Measure, ...]:
    """Measure two sides by every task: each sample is read once, and few numbers of it are kept.

    `truths` returns a sample's label where labels are arrays. What a task can say nothing of gives
    measures without a value, whose remark names the sample.

    Raises:
        StepInputError: the options of a metric do not fit what is measured.
        MissingDependency: a library is not installed.
    """
    running = RunningTasks(tasks, subject, truths)
    running.demand_outputs(reference, candidate)
    for index in range(subject.samples):
        tell(index)
        sides = [
            {name: _row(side[name], index) for name in running.read}
            for side in (reference, candidate)
        ]
        running.add(index, *sides)
    return running.finish(confidences)


class RunningTasks:
    """Tasks at work: samples are added in order, each once."""

    def __init__(self, tasks: Sequence[Task], subject: Subject, truths: Truths = _no_truth) -> None:
        """Begin; `truths` returns a sample's label where labels are arrays.

        Raises:
            StepInputError: the options of a metric do not fit what is measured.
            MissingDependency: a library is not installed.
        """
        self._subject = subject
        self._truths = truths
        self._running = [
            _Running(task, task.metric.begin(replace(subject, files=task.files))) for task in tasks
        ]

    @property
    def read(self) -> list[str]:
        """The outputs that are read of a sample."""
        running = (each for each in self._running if not each.why)
        return list(dict.fromkeys(name for each in running for name in each.outputs))

    def demand_outputs(self, reference: Collection[str], candidate: Collection[str]) -> None:
        """Stop each task for which a side lacks an output that it reads."""
        for each in self._running:
            each.demand_outputs(reference, "reference")
            each.demand_outputs(candidate, "candidate")

    def add(
        self, index: int, reference: Mapping[str, np.ndarray], candidate: Mapping[str, np.ndarray]
    ) -> None:
        """Add what both sides made of a sample: the outputs that are read, at least."""
        sides = reference, candidate
        spoilt = find_spoilt("reference", reference), find_spoilt("candidate", candidate)
        truth = self._truths(index)
        for each in self._running:
            pair = _pair(index, sides, self._subject, each.outputs)
            each.add(replace(pair, truth=truth), spoilt)

    def finish(self, confidences: Sequence[float]) -> tuple[Measure, ...]:
        """Return a measure for each figure."""
        return tuple(
            measure for each in self._running for measure in each.finish(self._subject, confidences)
        )


class _Running:
    """A task at work, until it can say nothing."""

    def __init__(self, task: Task, measurement: Measurement) -> None:
        self._task = task
        self._measurement = measurement
        self.outputs = measurement.outputs
        self.why = ""
        self._broken = False

    def demand_outputs(self, outputs: Collection[str], side: str) -> None:
        """Stop where a side lacks an output that is read."""
        for name in self.outputs:
            if name not in outputs and not self.why:
                self._stop(f"the {side} has no output `{name}`", broken=side == "candidate")

    def _stop(self, why: str, *, broken: bool) -> None:
        self.why, self._broken = why, broken

    def add(self, sample: PairedSample, spoilt: Sequence[SpoiltOutputs]) -> None:
        """Add a sample; stop at one that is spoilt on a side, or of which nothing can be said."""
        if self.why:
            return
        for each in spoilt:
            if told := each.explain(self.outputs, ranks=self._task.metric.ranks):
                self._stop(f"{told} in sample {sample.index}", broken=each.side == "candidate")
                return
        try:
            self._measurement.add(sample)
        except CannotMeasure as error:
            self._stop(f"sample {sample.index}: {error}", broken=False)

    def finish(self, subject: Subject, confidences: Sequence[float]) -> Iterator[Measure]:
        """Yield a measure for each figure."""
        import numpy as np

        values: Mapping[str, Value] = {}
        right: Mapping[str, np.ndarray] = {}
        intervals: Mapping[str, tuple[Interval, ...]] = {}
        if not self.why:
            try:
                values = self._measurement.fold(np.arange(subject.samples, dtype=np.int64))
                intervals = self._find_intervals(subject.samples, confidences)
                if isinstance(self._measurement, CountingMeasurement):
                    right = self._measurement.hits()
            except CannotMeasure as error:
                self.why = str(error)
        for name, figure in list_figures(self._task.metric):
            found = _check(values.get(figure.name, Value(None, remark=self.why)))
            yield Measure(
                metric=name,
                output="",
                value=found.value,
                remark=found.remark if found.value is None else "",
                doubt=found.remark if found.value is not None else "",
                unit=figure.unit,
                better=figure.better,
                own=figure.own,
                meaning=figure.meaning,
                reference=found.reference,
                intervals=() if found.value is None else intervals.get(figure.name, ()),
                identical=found.identical,
                applies=found.applies,
                right=write_bits(right[figure.name][:, -1]) if figure.name in right else "",
                broken=self._broken,
            )

    def _find_intervals(
        self, count: int, confidences: Sequence[float]
    ) -> dict[str, tuple[Interval, ...]]:
        import numpy as np

        figures = [each for each in self._task.metric.figures() if each.interval]
        resamples = self._task.metric.count_resamples()
        if not figures or not resamples or count < FEWEST:
            return {}
        found = self._find_shares(confidences)
        figures = [each for each in figures if each.name not in found]
        drawing = draw_samples(count, resamples) if figures else ()
        batches = [self._draw(draws, figures) for draws in drawing]
        for figure in figures:
            mine, other = (
                np.concatenate([batch[figure.name][side] for batch in batches]) for side in (0, 1)
            )
            found[figure.name] = bootstrap_intervals(
                mine,
                other if figure.own else None,
                falls=1 if figure.better == "high" else -1,
                confidences=confidences,
            )
        return found

    def _find_shares(self, confidences: Sequence[float]) -> dict[str, tuple[Interval, ...]]:
        if not isinstance(self._measurement, CountingMeasurement):
            return {}
        return {
            name: score_intervals(
                right[:, -1], right[:, 0] if right.shape[1] > 1 else None, confidences=confidences
            )
            for name, right in self._measurement.hits().items()
        }

    def _draw(
        self, draws: np.ndarray, figures: Sequence[Figure]
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return the values of each draw (candidate's, reference's), NaN where there is none."""
        import numpy as np

        nothing = np.full(len(draws), np.nan)
        if isinstance(self._measurement, DrawingMeasurement):
            with np.errstate(all="ignore"):
                drawn = self._measurement.fold_draws(draws)
            made = {
                name: (mine, nothing if other is None else other)
                for name, (mine, other) in drawn.items()
            }
            return {figure.name: (nothing, nothing) for figure in figures} | made
        found = {figure.name: (nothing.copy(), nothing.copy()) for figure in figures}
        for row, draw in enumerate(draws):
            try:
                values = self._measurement.fold(draw)
            except CannotMeasure:
                continue
            for name, (mine, other) in found.items():
                value = values.get(name, Value(None))
                mine[row] = math.nan if value.value is None else value.value
                other[row] = math.nan if value.reference is None else value.reference
        return found


def _pair(
    index: int, sides: Sequence[Mapping[str, np.ndarray]], subject: Subject, outputs: Sequence[str]
) -> PairedSample:
    mine, other = ({name: side[name] for name in outputs if name in side} for side in sides)
    return PairedSample(
        index,
        mine,
        other,
        label=None if subject.classes is None else subject.classes[index],
        name=subject.names[index] if subject.names else "",
    )


def _check(found: Value) -> Value:
    """Return a value that JSON can hold."""
    numbers = [each for each in (found.value, found.reference) if each is not None]
    if all(map(math.isfinite, numbers)):
        return found
    return Value(None, remark=found.remark or f"it comes to {found.value}")


def _row(output: Output, index: int) -> np.ndarray:
    return output.row(index) if isinstance(output, RaggedRows) else output[index]
