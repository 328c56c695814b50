"""All outputs, both sides, sample by sample as they come: what is kept is numbers, not outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from trtbuild.core.records import Measure
from trtbuild.measure.metrics import METRIC_ROWS, Metric
from trtbuild.measure.outputs import fold_measures
from trtbuild.measure.pairs import Chunk, SampleForm, describe_form

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Tally"]


class Tally:
    """Measures a candidate while it runs; memory does not grow with the size of outputs."""

    def __init__(self, metrics: Sequence[Metric], labels: np.ndarray | None) -> None:
        """Take what is measured; `labels` is int64 [samples], in the order of the samples."""
        self._metrics = tuple(metrics)
        self._labels = labels
        self._outputs: dict[str, _OutputTally] = {}

    def add(
        self, index: int, reference: Mapping[str, np.ndarray], candidate: Mapping[str, np.ndarray]
    ) -> None:
        """Add what both sides made of a sample: each output as one row, without a batch axis."""
        for name, values in reference.items():
            if name not in self._outputs:
                self._outputs[name] = _OutputTally(self._metrics, self._labels)
            self._outputs[name].add(index, values, candidate[name])

    def measure(self) -> tuple[Measure, ...]:
        """Return every metric of every output."""
        return tuple(
            measure for name, one in self._outputs.items() for measure in one.measure(name)
        )


class _OutputTally:
    def __init__(self, metrics: Sequence[Metric], labels: np.ndarray | None) -> None:
        self._metrics = metrics
        self._labels = labels
        self._form: SampleForm | None = None
        self._shapes: set[tuple[int, ...]] = set()
        self._parts: dict[Metric, dict[int, np.ndarray]] = {metric: {} for metric in metrics}
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
        if form is None or self._mismatch:
            return fold_measures(name, self._metrics, why=self._mismatch or "there are no samples")
        form = replace(form, uniform=len(self._shapes) == 1)
        parts = {metric: self._join(rows) for metric, rows in self._parts.items()}
        return fold_measures(
            name, self._metrics, form=form, parts=parts, finite=self._join(self._finite)
        )

    @staticmethod
    def _join(rows: Mapping[int, np.ndarray]) -> np.ndarray:
        import numpy as np

        return np.concatenate([rows[index] for index in sorted(rows)]) if rows else np.empty((0, 1))
