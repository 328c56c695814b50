"""All outputs, both sides, sample by sample as they come: what is kept is numbers, not outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trtbuild.core.comparison import CONFIDENCE, Measure
from trtbuild.measure.metrics import METRIC_ROWS, Metric
from trtbuild.measure.outputs import fold_measures
from trtbuild.measure.pairs import Chunk, SampleForm, describe_form

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.measure.parts import OutputPart
    from trtbuild.measure.tasks import RunningTasks

__all__ = ["Tally", "TallyPlan"]

Rows = Mapping[str, "np.ndarray"]


@dataclass(frozen=True)
class TallyPlan:
    """What is measured."""

    metrics: tuple[Metric, ...]
    labels: np.ndarray | None = None
    """int64 [samples], in the order of the samples."""
    parts: Mapping[str, OutputPart] = field(default_factory=dict)
    """Parts of outputs, by what they are called: measured as outputs are."""
    hidden: frozenset[str] = frozenset()
    """Those of them that the figures of the whole would hide."""
    begin: Callable[[Rows], RunningTasks] | None = None
    """Begins the tasks, given the reference's outputs and named parts of the first sample:
    samples must come in order then."""


class Tally:
    """Measures a candidate while it runs; memory does not grow with the size of outputs."""

    def __init__(self, plan: TallyPlan) -> None:
        self._plan = plan
        self._outputs: dict[str, _OutputTally] = {}
        self._tasks: RunningTasks | None = None

    def add(self, index: int, reference: Rows, candidate: Rows) -> None:
        """Add what both sides made of a sample: each output as one row, without a batch axis."""
        mine, other = self._cut(reference), self._cut(candidate)
        for name, values in mine.items():
            if name not in self._outputs:
                self._outputs[name] = _OutputTally(self._plan)
            self._outputs[name].add(index, values, other[name])
        if self._plan.begin is not None:
            asked, answered = self._leave_hidden_out(mine), self._leave_hidden_out(other)
            if self._tasks is None:
                self._tasks = self._plan.begin(asked)
                self._tasks.demand_outputs(asked, answered)
            self._tasks.add(index, asked, answered)

    def measure(self) -> tuple[Measure, ...]:
        """Return every metric of every output and part, then the tasks."""
        found: list[Measure] = []
        for name, one in self._outputs.items():
            whole = self._plan.parts[name].output if name in self._plan.hidden else ""
            found += (each.model_copy(update={"part_of": whole}) for each in one.measure(name))
        tasks = () if self._tasks is None else self._tasks.finish((CONFIDENCE,))
        return (*found, *tasks)

    def _leave_hidden_out(self, rows: Rows) -> Rows:
        return {name: each for name, each in rows.items() if name not in self._plan.hidden}

    def _cut(self, outputs: Rows) -> dict[str, np.ndarray]:
        import numpy as np

        parts = self._plan.parts
        return {
            **outputs,
            **{name: np.asarray(p.cut(outputs[p.output][None]))[0] for name, p in parts.items()},
        }


class _OutputTally:
    def __init__(self, plan: TallyPlan) -> None:
        self._labels = plan.labels
        self._form: SampleForm | None = None
        self._shapes: set[tuple[int, ...]] = set()
        self._parts: dict[Metric, dict[int, np.ndarray]] = {each: {} for each in plan.metrics}
        self._finite: dict[int, np.ndarray] = {}
        self._mismatch = ""

    def add(self, index: int, reference: np.ndarray, candidate: np.ndarray) -> None:
        import numpy as np

        if reference.shape != candidate.shape:
            told = f"{list(reference.shape)} against {list(candidate.shape)}"
            self._mismatch = self._mismatch or f"shapes differ in sample {index}: {told}"
            return
        form = describe_form(reference[None], candidate[None], self._labels)
        if self._form is None or form.size < self._form.size:
            self._form = form
        self._shapes.add(reference.shape)
        label = None if self._labels is None else self._labels[index : index + 1]
        chunk = Chunk(reference[None], candidate[None], label, form)
        with np.errstate(all="ignore"):
            for metric, parts in self._parts.items():
                if not METRIC_ROWS[metric].against(form):
                    parts[index] = METRIC_ROWS[metric].parts(chunk)
        self._finite[index] = np.stack(chunk.finite, axis=1)

    def measure(self, name: str) -> tuple[Measure, ...]:
        form = self._form
        return fold_measures(
            name,
            tuple(self._parts),
            form=form and replace(form, uniform=len(self._shapes) == 1),
            parts={metric: _order(rows) for metric, rows in self._parts.items()},
            finite=_order(self._finite),
            why=self._mismatch or ("" if form else "there are no samples"),
        )


def _order(rows: Mapping[int, np.ndarray]) -> list[np.ndarray]:
    return [rows[index] for index in sorted(rows)]
