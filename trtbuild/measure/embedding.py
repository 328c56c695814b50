"""embedding: whether reference and candidate find the same neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trtbuild.measure.base import (
    NO_CLASSES,
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

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Embedding"]

_BLOCK = 512
"""How many samples are held against all others at once."""
_MUCH = 0.2
"""From which share on what chance alone gives is worth a word."""


class Embedding(MetricKind):
    """Vectors for search and comparison: cosine of pairs, and nearest neighbours among the samples.

    Figures: `pair_cosine`; `recall_at_K` for each of `neighbours`; `neighbour_accuracy` where the
    data has classes. Neighbours are by cosine, of all samples but the one itself. The vectors of
    both sides are kept in memory, as float32.
    """

    kind: Literal["embedding"]
    output: str | None = None
    """The output that holds one vector a sample; the only one by default."""
    neighbours: Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(min_length=1)] = (1, 10)
    """How many of the reference's nearest neighbours are looked for among as many of the
    candidate's."""
    gallery: Literal["own", "reference"] = "own"
    """What the candidate's vectors are held against: its own, or those of the reference, as where
    an index stays as it was built."""

    def figures(self) -> tuple[Figure, ...]:
        """Return the recalls, the cosine, and the accuracy by classes."""
        recalls = (
            Figure(
                f"recall_at_{k}",
                f"the share of the reference's {k} nearest neighbours that are also the candidate's"
                if k > 1
                else "the share of samples for which both models find the same nearest neighbour",
                unit="share",
            )
            for k in self.neighbours
        )
        cosine = "the cosine between the two vectors of a sample, as mean over the samples"
        accuracy = "the share of samples whose nearest neighbour is of the same class"
        return (
            *recalls,
            Figure("pair_cosine", cosine),
            Figure("neighbour_accuracy", accuracy, unit="share", own=True),
        )

    def begin(self, subject: Subject) -> Measurement:
        """Return a measurement of vectors.

        Raises:
            StepInputError: there is no such output.
        """
        return _Vectors(self, choose_output(self.output, subject, self.kind))


class _Vectors:
    """The vectors of all samples, and in the end who is near to whom."""

    def __init__(self, told: Embedding, output: str) -> None:
        self.outputs = (output,)
        self._told = told
        self._sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        self._labels: list[int | None] = []
        self._rows: dict[str, np.ndarray] = {}

    def add(self, sample: PairedSample) -> None:
        """Keep both vectors, of length 1."""
        (output,) = self.outputs
        for kept, side in zip(self._sides, (sample.reference, sample.candidate), strict=True):
            kept.append(_normalize(side[output]))
        first, new = (side[output].size for side in (sample.reference, sample.candidate))
        if not first == new == self._sides[0][0].size:
            raise CannotMeasure(f"its vector has {new} values, and others {self._sides[0][0].size}")
        self._labels.append(sample.label)

    def fold(self, samples: np.ndarray) -> dict[str, Value]:
        """Return every figure over some samples; neighbours are looked for among all."""
        drawn, remarks = self.fold_draws(samples[None]), dict(self._remarks())
        return take_only_draw(self._told.figures(), drawn, remarks, without=NO_CLASSES)

    def fold_draws(self, draws: np.ndarray) -> Drawn:
        """Do the same for each draw."""
        if not self._rows:
            self._rows = self._measure()
        means = {name: sum_draws(rows, draws) / draws.shape[1] for name, rows in self._rows.items()}
        return {
            name: (found[:, -1], found[:, 0] if found.shape[1] > 1 else None)
            for name, found in means.items()
        }

    def hits(self) -> dict[str, np.ndarray]:
        """Return whose nearest neighbour is the same, and whose is of the same class."""
        if not self._rows:
            self._rows = self._measure()
        shares = ("recall_at_1", "neighbour_accuracy")
        return {
            name: rows > 0 for name, rows in self._rows.items() if name in shares and len(rows) > 1
        }

    def _measure(self) -> dict[str, np.ndarray]:
        """Return the part of each sample: [samples, 1], or [samples, 2] of both sides."""
        import numpy as np

        reference, candidate = (np.stack(side) for side in self._sides)
        gallery = candidate if self._told.gallery == "own" else reference
        most = min(max(self._told.neighbours), len(reference) - 1)
        rows = {"pair_cosine": (reference.astype(np.float64) * candidate).sum(axis=1)[:, None]}
        if most < 1:
            return {
                **rows,
                **{f"recall_at_{k}": np.full((1, 1), np.nan) for k in self._told.neighbours},
            }
        mine = _find_nearest(reference, reference, most)
        other = _find_nearest(candidate, gallery, most)
        for k in self._told.neighbours:
            both = (mine[:, :k, None] == other[:, None, :k]).any(axis=2).mean(axis=1)
            rows[f"recall_at_{k}"] = (both if k <= most else np.full(len(both), np.nan))[:, None]
        if None not in self._labels:
            labels = np.array(self._labels)
            same = [labels[each[:, 0]] == labels for each in (mine, other)]
            rows["neighbour_accuracy"] = np.stack(same, axis=1)
        return rows

    def _remarks(self) -> Iterator[tuple[str, str]]:
        others = len(self._labels) - 1
        for k in self._told.neighbours:
            if k > others:
                yield f"recall_at_{k}", f"with {others + 1} samples nothing has {k} neighbours"
            elif k > _MUCH * others:
                chance = f"{100 * k / others:.0f} %"
                yield f"recall_at_{k}", f"of {others} neighbours: chance alone gives {chance}"
        classes = set(self._labels)
        if None not in classes and len(classes) == 1:
            yield "neighbour_accuracy", "all samples are of one class: the figure says nothing"


def _normalize(vector: np.ndarray) -> np.ndarray:
    """Return a vector of length 1 as float32; one of zeros as it is."""
    import numpy as np

    flat = np.asarray(vector, np.float64).reshape(-1)
    length = np.sqrt(np.square(flat).sum())
    return np.asarray(flat / length if length > 0 else flat, np.float32)


def _find_nearest(queries: np.ndarray, gallery: np.ndarray, most: int) -> np.ndarray:
    """Return for each query the numbers of the `most` nearest, nearest first; never its own.

    Of equally near ones the first. Cosines are rounded to six digits, since a product of matrices
    differs in the last ones from machine to machine.
    """
    import numpy as np

    found = np.zeros((len(queries), most), np.int64)
    for start in range(0, len(queries), _BLOCK):
        near = np.round(queries[start : start + _BLOCK] @ gallery.T, 6)
        near[np.arange(len(near)), start + np.arange(len(near))] = -np.inf
        found[start : start + _BLOCK] = np.argsort(-near, axis=1, kind="stable")[:, :most]
    return found
