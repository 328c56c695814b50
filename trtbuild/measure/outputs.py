"""One output, both sides: every metric asked for, in one pass over the samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from trtbuild.core.arrays import RaggedRows
from trtbuild.core.records import Measure
from trtbuild.measure.metrics import METRIC_ROWS, Figures, Metric
from trtbuild.measure.pairs import (
    Output,
    SampleForm,
    describe_form,
    iterate_chunks,
    list_row_shapes,
)

if TYPE_CHECKING:
    import numpy as np

__all__ = ["fold_measures", "measure_output"]


def measure_output(
    name: str,
    reference: Output | None,
    candidate: Output | None,
    *,
    metrics: Sequence[Metric],
    labels: np.ndarray | None = None,
) -> tuple[Measure, ...]:
    """Measure one output, [samples, ...] or a row a sample, in one pass and in float64.

    A side without this output is None. `labels` is int64 [samples]. Arrays may be mapped files:
    only a piece of them is in memory at a time. What cannot be computed is a `Measure` without
    a value, and its remark says why.
    """
    why = _find_mismatch(reference, candidate)
    if reference is None or candidate is None or why:
        return fold_measures(name, metrics, why=why)
    form = describe_form(reference, candidate, labels)
    wanted = [metric for metric in metrics if not METRIC_ROWS[metric].against(form)]
    parts, finite = _collect_parts(reference, candidate, labels=labels, form=form, metrics=wanted)
    return fold_measures(name, metrics, form=form, parts=parts, finite=finite)


def fold_measures(
    name: str,
    metrics: Sequence[Metric],
    *,
    why: str = "",
    form: SampleForm | None = None,
    parts: Mapping[Metric, np.ndarray] | None = None,
    finite: np.ndarray | None = None,
) -> tuple[Measure, ...]:
    """Fold what was gathered of each sample into measures; `why` says why nothing could be.

    `parts` has, by metric, what `MetricRow.parts` made of all samples; `finite` says for each
    sample and side whether all its values are.
    """
    if form is None or parts is None or finite is None:
        return tuple(_missing(metric, name, why) for metric in metrics)
    against = {metric: METRIC_ROWS[metric].against(form) for metric in metrics}
    return tuple(
        _missing(metric, name, against[metric], applies=False)
        if against[metric]
        else Measure(
            metric=metric,
            output=name,
            unit=METRIC_ROWS[metric].unit,
            **asdict(_fold_parts(metric, parts[metric], finite, form)),
        )
        for metric in metrics
    )


def _missing(metric: Metric, output: str, remark: str, *, applies: bool = True) -> Measure:
    return Measure(
        metric=metric,
        output=output,
        value=None,
        unit=METRIC_ROWS[metric].unit,
        remark=remark,
        applies=applies,
    )


def _find_mismatch(reference: Output | None, candidate: Output | None) -> str:
    if reference is None or candidate is None:
        return f"the {'reference' if reference is None else 'candidate'} has no such output"
    if not isinstance(reference, RaggedRows) and not isinstance(candidate, RaggedRows):
        if reference.shape != candidate.shape:
            return f"shapes differ: {list(reference.shape)} against {list(candidate.shape)}"
        return "" if reference.ndim and len(reference) else "there are no samples"
    ours, theirs = list_row_shapes(reference), list_row_shapes(candidate)
    pairs = enumerate(zip(ours, theirs, strict=True))
    return next(
        (
            f"shapes differ in sample {index}: {list(mine)} against {list(other)}"
            for index, (mine, other) in pairs
            if mine != other
        ),
        "",
    )


def _collect_parts(
    reference: Output,
    candidate: Output,
    *,
    labels: np.ndarray | None,
    form: SampleForm,
    metrics: Sequence[Metric],
) -> tuple[dict[Metric, np.ndarray], np.ndarray]:
    import numpy as np

    parts: dict[Metric, list[np.ndarray]] = {metric: [] for metric in metrics}
    finite: list[np.ndarray] = []
    # Infinity is an answer here, and NaN is told apart below: neither is worth a warning.
    with np.errstate(all="ignore"):
        for chunk in iterate_chunks(reference, candidate, labels, form) if metrics else ():
            for metric, rows in parts.items():
                rows.append(METRIC_ROWS[metric].parts(chunk))
            finite.append(np.stack(chunk.finite, axis=1))
    found = {metric: np.concatenate(rows) for metric, rows in parts.items()}
    return found, np.concatenate(finite) if finite else np.empty((0, 2), bool)


def _fold_parts(metric: Metric, parts: np.ndarray, finite: np.ndarray, form: SampleForm) -> Figures:
    import numpy as np

    bad = np.flatnonzero(~np.isfinite(parts).all(axis=1))
    if not bad.size:
        return METRIC_ROWS[metric].fold(parts, form)
    first = int(bad[0])
    at = f"in {bad.size} of {len(parts)} samples, first in sample {first}"
    for side, name in enumerate(("reference", "candidate")):
        if not finite[first, side]:
            return Figures(None, f"the {name} holds NaN or Inf {at}")
    return Figures(None, f"values are too large to square {at}")
