"""One output, both sides: every metric asked for, in one pass over the samples."""

from __future__ import annotations

from collections.abc import Sequence
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

__all__ = ["measure_output"]


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
        return tuple(_missing(metric, name, why) for metric in metrics)
    form = describe_form(reference, candidate, labels)
    against = {metric: METRIC_ROWS[metric].against(form) for metric in metrics}
    wanted = [metric for metric in metrics if not against[metric]]
    figures = _figures(reference, candidate, labels=labels, form=form, metrics=wanted)
    return tuple(
        _missing(metric, name, against[metric], applies=False)
        if against[metric]
        else Measure(
            metric=metric, output=name, unit=METRIC_ROWS[metric].unit, **asdict(figures[metric])
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


def _figures(
    reference: Output,
    candidate: Output,
    *,
    labels: np.ndarray | None,
    form: SampleForm,
    metrics: Sequence[Metric],
) -> dict[Metric, Figures]:
    import numpy as np

    parts: dict[Metric, list[np.ndarray]] = {metric: [] for metric in metrics}
    finite: list[np.ndarray] = []
    # Infinity is an answer here, and NaN is told apart below: neither is worth a warning.
    with np.errstate(all="ignore"):
        for chunk in iterate_chunks(reference, candidate, labels, form) if metrics else ():
            for metric, rows in parts.items():
                rows.append(METRIC_ROWS[metric].parts(chunk))
            finite.append(np.stack(chunk.finite, axis=1))
    return {
        metric: _fold_parts(metric, np.concatenate(rows), np.concatenate(finite), form)
        for metric, rows in parts.items()
    }


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
