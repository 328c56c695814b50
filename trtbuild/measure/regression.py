"""regression: absolute and squared errors, against the reference and against targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from trtbuild.core.words import join_few
from trtbuild.measure.base import (
    CannotMeasure,
    Figure,
    Measurement,
    MetricKind,
    PairedSample,
    Subject,
    Value,
)
from trtbuild.measure.choose_output import choose_output
from trtbuild.measure.draws import Drawn, sum_draws, take_only_draw
from trtbuild.measure.scales import ScaleSurvey
from trtbuild.measure.truths import Against, Sides, choose_figures, choose_sides, list_axes

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Regression"]

_MOST_NAMES = 4


class Regression(MetricKind):
    """Numbers that a model estimates: mean absolute error and root mean square error.

    Figures: `mae` and `rmse` against the reference's values; `target_mae`, `target_rmse` and
    `target_r2` of both sides against the data's, where it has some. In the output's own unit.
    """

    kind: Literal["regression"]
    output: str | None = None
    """The output that holds the values; the only one by default."""
    against: Against | None = None
    """`labels` or `reference` alone; by default both, labels where the data has them."""

    @property
    def needs_labels(self) -> bool:
        """Where it is held against them alone."""
        return self.against == "labels"

    def figures(self) -> tuple[Figure, ...]:
        """Return those against targets, then those against the reference."""
        mae, rmse = "the mean absolute difference", "the root of the mean square difference"
        r2 = "the share of the targets' variance that is explained: 1 - Σ(t - c)² / Σ(t - mean)²"
        by_labels = (
            Figure("target_mae", f"{mae} from the target", better="low", own=True),
            Figure("target_rmse", f"{rmse} from the target", better="low", own=True),
            Figure("target_r2", r2, own=True),
        )
        by_reference = (
            Figure("mae", f"{mae} from the reference", better="low"),
            Figure("rmse", f"{rmse} from the reference", better="low"),
        )
        return choose_figures(self.against, by_labels=by_labels, by_reference=by_reference)

    def begin(self, subject: Subject) -> Measurement:
        """Return a measurement of differences.

        Raises:
            StepInputError: there is no such output, or labels are asked for and there are none.
        """
        output = choose_output(self.output, subject, self.kind)
        sides = choose_sides(
            self.against,
            subject,
            kind=self.kind,
            labels="an array of what should come out",
            fits=lambda labels: list_axes(labels) == list_axes(subject.outputs[output]),
            numbers=not list_axes(subject.outputs[output]),
        )
        return _Differences(self, output, sides)


class _Differences:
    """Sums of each sample: |r - c|, (r - c)², and alike of both sides from the target."""

    def __init__(self, told: Regression, output: str, sides: Sides) -> None:
        self.outputs = (output,)
        self._told = told
        self._sides = sides
        self._rows: list[list[float]] = []
        self._survey: ScaleSurvey | None = None
        self._shape: tuple[int, ...] | None = None
        self._first: float | None = None
        """The first target, which all are counted from: squares of large ones leave no digits for
        how they differ."""

    def add(self, sample: PairedSample) -> None:
        """Keep sums of differences."""
        import numpy as np

        (output,) = self.outputs
        self._look_at(sample.reference[output])
        reference, candidate = (
            np.asarray(side[output], np.float64).reshape(-1)
            for side in (sample.reference, sample.candidate)
        )
        row = [float(reference.size), *_differ(reference, candidate)]
        if self._sides.labels:
            truth = sample.label if sample.truth is None else sample.truth
            target = np.asarray(truth, np.float64).reshape(-1)
            for side in (reference, candidate):
                row += _differ(target, side)
            self._first = float(target[0]) if self._first is None else self._first
            off = target - self._first
            row += [float(off.sum()), float(np.square(off).sum())]
        self._rows.append(row)

    def _look_at(self, values: np.ndarray) -> None:
        """Remember the scale of each channel, as long as samples are of one shape."""
        if self._shape is None:
            self._survey = ScaleSurvey(self.outputs[0], [values.shape])
        elif values.shape != self._shape:
            self._survey = None
        self._shape = values.shape
        if self._survey is not None:
            self._survey.add(values[None])

    def fold(self, samples: np.ndarray) -> dict[str, Value]:
        """Return every figure over some samples."""
        drawn, remarks = self.fold_draws(samples[None]), dict(self._remarks(samples))
        return take_only_draw(self._told.figures(), drawn, remarks, without=self._sides.why)

    def fold_draws(self, draws: np.ndarray) -> Drawn:
        """Do the same for each draw."""
        import numpy as np

        count, *sums = sum_draws(np.array(self._rows), draws).T
        found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {}
        if self._sides.reference:
            found["mae"] = (sums[0] / count, None)
            found["rmse"] = (np.sqrt(sums[1] / count), None)
        if self._sides.labels:
            (mae, square), (other_mae, other_square), (total, squares) = zip(
                sums[2::2], sums[3::2], strict=True
            )
            found["target_mae"] = (other_mae / count, mae / count)
            found["target_rmse"] = (np.sqrt(other_square / count), np.sqrt(square / count))
            spread = squares - total**2 / count
            # What rounding leaves of equal targets is no variance.
            flat = spread <= squares * 1e-12
            spread = np.where(flat, np.nan, spread)
            found["target_r2"] = (1 - other_square / spread, 1 - square / spread)
        return found

    def _remarks(self, samples: np.ndarray) -> Iterator[tuple[str, str]]:
        import numpy as np

        parts = {} if self._survey is None else self._survey.find_parts()
        if parts:
            told = join_few([f"`{each}`" for each in parts], _MOST_NAMES)
            unlike = f"its parts differ in scale, and the largest decides: give {told} a name"
            yield from ((each.name, unlike) for each in self._told.figures())
        if self._sides.labels and np.isnan(self.fold_draws(samples[None])["target_r2"][0][0]):
            yield "target_r2", "all targets are equal: there is no variance to explain"


def _differ(one: np.ndarray, other: np.ndarray) -> list[float]:
    """Return Σ|a - b| and Σ(a - b)²."""
    import numpy as np

    if one.shape != other.shape:
        raise CannotMeasure(f"it has {one.size} values on one side, and {other.size} on the other")
    return [float(np.abs(one - other).sum()), float(np.square(one - other).sum())]
