"""classification: labels among the k best, and recall by class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import StepInputError
from trtbuild.measure.base import (
    CannotMeasure,
    Figure,
    Measurement,
    MetricKind,
    PairedSample,
    Subject,
    Value,
)
from trtbuild.measure.choices import FEW, doubt_one_answer
from trtbuild.measure.choose_output import choose_output

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Classification"]


class Classification(MetricKind):
    """Accuracy of a classifier by labels: top k for any k, and the mean recall of its classes.

    Figures: `topK` for each of `top`, `balanced_accuracy`. Classes of the data's labels.
    """

    ranks: ClassVar[bool] = True

    kind: Literal["classification"]
    output: str | None = None
    """The output (or part of one) that holds a score for each class; the only one by default."""
    top: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1)] = (3,)
    """How many of the highest scores the label may be among; of equal scores the first is the
    higher."""

    @property
    def needs_labels(self) -> bool:
        """Always."""
        return True

    def figures(self) -> tuple[Figure, ...]:
        """Return one for each k, and the mean recall."""
        tops = (
            Figure(
                f"top{k}",
                f"the share of samples whose label is among the {k} highest scores",
                unit="share",
                own=True,
            )
            for k in self.top
        )
        mean = "the share of a class's samples that are recognized, as mean over the classes"
        return (*tops, Figure("balanced_accuracy", mean, unit="share", own=True))

    def begin(self, subject: Subject) -> Measurement:
        """Return a measurement of ranks.

        Raises:
            StepInputError: there are no labels, or the output holds no score for each class.
        """
        output = choose_output(self.output, subject, self.kind)
        shape = [size for size in subject.outputs[output].shape if size != 1]
        if subject.classes is None:
            raise StepInputError(
                "`kind: classification` needs labels, and the data has none",
                hint="say where they are: `labels` of the data source",
            )
        if len(shape) != 1 or not isinstance(shape[0], int):
            raise StepInputError(
                f"`kind: classification`: a sample of `{output}` is {shape}, not one score for "
                "each class",
                hint="name the output that holds the scores: `output: NAME`",
            )
        if max(subject.classes) >= shape[0] or min(subject.classes) < 0:
            raise StepInputError(
                f"`kind: classification`: labels go from {min(subject.classes)} to "
                f"{max(subject.classes)}, but `{output}` holds {shape[0]} scores",
                hint="labels are whole numbers from 0, in the order of the scores",
            )
        return _Ranks(output, self.top, shape[0])


class _Ranks:
    """The rank of the label on both sides, a sample each."""

    def __init__(self, output: str, top: tuple[int, ...], classes: int) -> None:
        self.outputs = (output,)
        self._output = output
        self._top = tuple(k for k in top if k < classes)
        self._moot = {
            f"top{k}": f"with {classes} classes, top {k} is always right"
            for k in top
            if k >= classes
        }
        self._answers: list[int] = []
        self._ranks: list[tuple[int, int]] = []
        self._labels: list[int] = []

    def add(self, sample: PairedSample) -> None:
        """Keep by how many scores the label's is surpassed."""
        assert sample.label is not None  # noqa: S101  # asked for in the beginning
        sides = (sample.reference[self._output], sample.candidate[self._output])
        one, other = (_rank(scores.reshape(-1), sample.label) for scores in sides)
        self._ranks.append((one, other))
        self._answers.append(int(sides[0].argmax()))
        self._labels.append(sample.label)

    def hits(self) -> dict[str, np.ndarray]:
        """Return whose label is among the k best."""
        import numpy as np

        return {f"top{k}": np.array(self._ranks) < k for k in self._top}

    def fold(self, samples: np.ndarray) -> dict[str, Value]:
        """Return shares of samples, and the mean over the classes that are among them."""
        found, doubt = self.fold_draws(samples[None]), self._doubt()
        moot = {name: Value(None, remark=why, applies=False) for name, why in self._moot.items()}
        return moot | {
            name: Value(float(mine[0]), float(other[0]), doubt)
            for name, (mine, other) in found.items()
        }

    def _doubt(self) -> str:
        """Say that all labels, or all answers of the reference, are of one class."""
        if len(self._labels) < FEW:
            return ""
        if len({*self._labels}) == 1:
            only = self._labels[0]
            return f"every label is class {only}: a model that always says so is right"
        if len({*self._answers}) == 1:
            return doubt_one_answer(self._answers[0])
        return ""

    def fold_draws(self, draws: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Do the same for each draw."""
        import numpy as np

        ranks = np.array(self._ranks)
        found = {}
        for k in self._top:
            hits = (ranks < k)[draws].mean(axis=1)
            found[f"top{k}"] = (hits[:, 1], hits[:, 0])
        _, classes = np.unique(self._labels, return_inverse=True)
        recalls = np.array([_find_mean_recalls(ranks == 0, classes, draw) for draw in draws])
        return {**found, "balanced_accuracy": (recalls[:, 1], recalls[:, 0])}


def _find_mean_recalls(right: np.ndarray, classes: np.ndarray, draw: np.ndarray) -> list[float]:
    """Return the mean recall of each side over the classes that are in a draw.

    In time that grows with the samples, however many classes there are.

    Args:
        right: whether a sample is recognized, bool [samples, sides].
        classes: the class of each sample, from 0 on without gaps, int [samples].
        draw: numbers of samples, int64 [n].
    """
    import numpy as np

    times = np.bincount(draw, minlength=len(classes))
    counts = np.bincount(classes, times)
    hits = (np.bincount(classes, times * side) for side in right.T)
    return [float((each[counts > 0] / counts[counts > 0]).mean()) for each in hits]


def _rank(scores: np.ndarray, label: int) -> int:
    if label >= scores.size:
        raise CannotMeasure(f"it has {scores.size} scores, and its label is {label}")
    own = scores[label]
    return int((scores > own).sum() + (scores[:label] == own).sum())
