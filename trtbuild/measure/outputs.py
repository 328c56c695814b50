"""One output, both sides: every metric asked for, in one pass over the samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from trtbuild.core.arrays import RaggedRows
from trtbuild.core.comparison import CONFIDENCE, Interval, Measure
from trtbuild.core.words import join_few
from trtbuild.measure.base import RESAMPLES
from trtbuild.measure.intervals import bootstrap_intervals, draw_samples, score_intervals
from trtbuild.measure.metrics import METRIC_ROWS, Metric
from trtbuild.measure.pairs import (
    Output,
    SampleForm,
    describe_form,
    iterate_chunks,
    list_row_shapes,
)
from trtbuild.measure.rows import Figures, MetricRow
from trtbuild.measure.scales import ScaleSurvey

if TYPE_CHECKING:
    import numpy as np

__all__ = ["find_mismatch", "fold_measures", "measure_output"]

_MOST_NAMES = 4


def measure_output(
    name: str,
    reference: Output | None,
    candidate: Output | None,
    *,
    metrics: Sequence[Metric],
    labels: np.ndarray | None = None,
    confidences: Sequence[float] = (CONFIDENCE,),
    whole: bool = True,
) -> tuple[Measure, ...]:
    """Measure one output, [samples, ...] or a row a sample, in one pass and in float64.

    A side without this output is None. `labels` is int64 [samples]. Arrays may be mapped files:
    only a piece of them is in memory at a time. What cannot be computed is a `Measure` without
    a value, and its remark says why. Of a `whole` output whose parts differ so much in scale that
    one hides the others, the figures of each part follow.
    """
    why = find_mismatch(reference, candidate)
    if reference is None or candidate is None or why:
        broken = reference is not None
        return tuple(_missing(metric, name, why, broken=broken) for metric in metrics)
    form = describe_form(reference, candidate, labels)
    against = {metric: METRIC_ROWS[metric].against(form) for metric in metrics}
    wanted = [metric for metric in metrics if not against[metric]]
    pooled = [metric for metric in wanted if METRIC_ROWS[metric].pooled]
    seen = _Seen({metric: [] for metric in wanted})
    if whole and pooled and not form.integer:
        seen.survey = ScaleSurvey(name, list_row_shapes(reference))
    seen.walk(reference, candidate, labels, form)
    found = seen.fold(form, confidences)
    parts = {} if seen.survey is None else seen.survey.find_parts()
    return (
        *(
            _missing(metric, name, against[metric], applies=False)
            if against[metric]
            else _measure(metric, name, *found[metric], parts=parts if metric in pooled else ())
            for metric in metrics
        ),
        *(
            measure.model_copy(update={"part_of": name})
            for written, part in parts.items()
            for measure in measure_output(
                written,
                part.cut(reference),
                part.cut(candidate),
                metrics=pooled,
                confidences=confidences,
                whole=False,
            )
        ),
    )


def fold_measures(
    name: str,
    metrics: Sequence[Metric],
    *,
    form: SampleForm | None,
    parts: Mapping[Metric, Sequence[np.ndarray]],
    finite: Sequence[np.ndarray],
    why: str = "",
) -> tuple[Measure, ...]:
    """Fold what was gathered of each sample into measures; `why` says why nothing could be.

    `parts` has, by metric, what `MetricRow.parts` made of the samples, in their order; `finite`
    says for each sample and side whether all its values are.
    """
    if form is None or why:
        return tuple(_missing(metric, name, why, broken=True) for metric in metrics)
    against = {metric: METRIC_ROWS[metric].against(form) for metric in metrics}
    seen = _Seen({metric: [*parts[metric]] for metric in metrics if not against[metric]})
    seen.finite += finite
    found = seen.fold(form, (CONFIDENCE,))
    return tuple(
        _missing(metric, name, against[metric], applies=False)
        if against[metric]
        else _measure(metric, name, *found[metric], parts=())
        for metric in metrics
    )


def _measure(
    metric: Metric,
    name: str,
    figures: Figures,
    intervals: tuple[Interval, ...],
    *,
    parts: Mapping[str, object] | tuple[()],
) -> Measure:
    row = METRIC_ROWS[metric]
    doubt = figures.doubt
    if parts:
        told = join_few([f"`{each}`" for each in parts], _MOST_NAMES)
        unlike = f"its parts differ in scale, and the largest decides: see {told}"
        doubt = "; ".join(filter(None, (unlike, figures.doubt)))
    return Measure(
        metric=metric,
        output=name,
        unit=row.unit,
        better=row.better,
        own=row.own,
        intervals=intervals,
        **{**asdict(figures), "doubt": doubt},
    )


def _missing(
    metric: Metric, output: str, remark: str, *, applies: bool = True, broken: bool = False
) -> Measure:
    row = METRIC_ROWS[metric]
    return Measure(
        metric=metric,
        output=output,
        value=None,
        unit=row.unit,
        better=row.better,
        own=row.own,
        remark=remark,
        applies=applies,
        broken=broken,
    )


def find_mismatch(reference: Output | None, candidate: Output | None) -> str:
    """Say why two sides cannot be compared value by value; nothing where they can."""
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


@dataclass
class _Seen:
    """What is kept of the samples of an output: a few numbers of each."""

    parts: dict[Metric, list[np.ndarray]]
    finite: list[np.ndarray] = field(default_factory=list)
    survey: ScaleSurvey | None = None

    def walk(
        self, reference: Output, candidate: Output, labels: np.ndarray | None, form: SampleForm
    ) -> None:
        """Go over all samples once."""
        import numpy as np

        # Infinity is an answer here, and NaN is told apart below: neither is worth a warning.
        with np.errstate(all="ignore"):
            for chunk in iterate_chunks(reference, candidate, labels, form) if self.parts else ():
                for metric, rows in self.parts.items():
                    rows.append(METRIC_ROWS[metric].parts(chunk))
                self.finite.append(np.stack(chunk.finite, axis=1))
                if self.survey is not None:
                    self.survey.add(chunk.reference)

    def fold(
        self, form: SampleForm, confidences: Sequence[float]
    ) -> dict[Metric, tuple[Figures, tuple[Interval, ...]]]:
        """Return the figures of each metric, and their intervals."""
        import numpy as np

        parts = {metric: np.concatenate(rows) for metric, rows in self.parts.items()}
        finite = np.concatenate(self.finite) if self.finite else np.zeros((0, 2), bool)
        found = {metric: _fold_parts(metric, each, finite, form) for metric, each in parts.items()}
        known = {metric: each for metric, each in parts.items() if found[metric].value is not None}
        intervals = _find_intervals(known, form, confidences)
        return {metric: (each, intervals.get(metric, ())) for metric, each in found.items()}


def _fold_parts(metric: Metric, parts: np.ndarray, finite: np.ndarray, form: SampleForm) -> Figures:
    import numpy as np

    wrong = ~np.isfinite(parts).all(axis=1)
    if not wrong.any():
        return METRIC_ROWS[metric].fold(parts, form)
    spoilt = wrong & finite[:, 0] & ~finite[:, 1]
    for samples, told in (
        (spoilt, "the candidate holds NaN or Inf"),
        (wrong & ~finite[:, 0], "the reference holds NaN or Inf"),
        (wrong, "values are too large to square"),
    ):
        if samples.any():
            at = f"in {samples.sum()} of {len(parts)} samples, first in sample {samples.argmax()}"
            return Figures(None, f"{told} {at}", broken=samples is spoilt)
    raise AssertionError


def _find_intervals(
    parts: Mapping[Metric, np.ndarray], form: SampleForm, confidences: Sequence[float]
) -> dict[Metric, tuple[Interval, ...]]:
    """Return the intervals of metrics: all of them see the same resamples."""
    import numpy as np

    found: dict[Metric, tuple[Interval, ...]] = {}
    drawn: dict[Metric, list[tuple[np.ndarray, np.ndarray | None]]] = {}
    for metric, each in parts.items():
        row = METRIC_ROWS[metric]
        hits = each[:, list(row.hits)]
        if len(each) < 2 or not row.interval:  # noqa: PLR2004  # of one there is no other
            continue
        if row.hits and np.isin(hits, (0, 1)).all():
            sides = [hits[:, column] == 1 for column in range(hits.shape[1])]
            other = sides[1] if row.own else None
            found[metric] = score_intervals(sides[0], other, confidences=confidences)
        else:
            drawn[metric] = []
    count = len(next(iter(parts.values()), ()))
    with np.errstate(all="ignore"):
        for draws in draw_samples(count, RESAMPLES) if drawn else ():
            for metric, batches in drawn.items():
                batches.append(_draw(METRIC_ROWS[metric], parts[metric], draws, form))
    for metric, batches in drawn.items():
        values = np.concatenate([mine for mine, _ in batches])
        others = [other for _, other in batches if other is not None]
        found[metric] = bootstrap_intervals(
            values,
            np.concatenate(others) if others else None,
            falls=1 if METRIC_ROWS[metric].better == "high" else -1,
            confidences=confidences,
        )
    return found


def _draw(
    row: MetricRow, parts: np.ndarray, draws: np.ndarray, form: SampleForm
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fold each of many resamples."""
    import numpy as np

    if row.drawn is not None:
        return row.drawn(parts, draws)
    folded = [row.fold(parts[draw], form) for draw in draws]
    values = np.array([each.value for each in folded], dtype=np.float64)
    own = np.array([each.reference for each in folded], dtype=np.float64)
    return values, own if row.own else None
