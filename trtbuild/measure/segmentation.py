"""segmentation: mean intersection over union, by labels and against the reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.values import TensorSpec
from trtbuild.measure.base import (
    CannotMeasure,
    Figure,
    Measurement,
    MetricKind,
    PairedSample,
    Subject,
    Value,
)
from trtbuild.measure.choose_output import choose_output, refuse_shape
from trtbuild.measure.draws import Drawn, sum_draws, take_only_draw, take_ratio
from trtbuild.measure.truths import Against, Sides, choose_figures, choose_sides, list_axes

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Segmentation"]

_SIDES = 2
"""Height and width."""


class Segmentation(MetricKind):
    """Class maps: mean IoU and pixel accuracy by masks, and agreement with the reference's.

    Figures: `miou` and `pixel_accuracy` where the data has masks; `miou_agreement` and
    `pixel_agreement` against the reference's own class map. The mean is over the classes that are
    in any of the samples, on either side.
    """

    ranks: ClassVar[bool] = True

    kind: Literal["segmentation"]
    output: str | None = None
    """The output of scores, [classes, height, width], or of classes as whole numbers, [height,
    width]; the only one by default."""
    channels_last: bool = False
    """Whether scores are [height, width, classes]."""
    against: Against | None = None
    """`labels` or `reference` alone; by default both, labels where the data has them."""
    ignore_index: int | None = 255
    """The class in a mask that does not count."""
    threshold: float = 0.5
    """Of an output with one score a pixel: from which on it is class 1, and else 0. Write 0 where
    the output stands in front of the sigmoid."""

    @property
    def needs_labels(self) -> bool:
        """Where it is held against them alone."""
        return self.against == "labels"

    def figures(self) -> tuple[Figure, ...]:
        """Return those by labels, then those of agreement."""
        union = "the intersection over the union of a class, as mean over the classes"
        by_labels = (
            Figure("miou", f"{union}, with masks", unit="share", own=True),
            Figure("pixel_accuracy", "the share of pixels of the right class", "share", own=True),
        )
        by_reference = (
            Figure("miou_agreement", f"{union}, with the reference's class map", unit="share"),
            Figure(
                "pixel_agreement",
                "the share of pixels for which both models choose one class",
                "share",
            ),
        )
        return choose_figures(self.against, by_labels=by_labels, by_reference=by_reference)

    def choose_classes(self, output: np.ndarray) -> np.ndarray:
        """Return the class of each pixel, int64 [height, width], of what a model puts out."""
        import numpy as np

        if output.dtype.kind in "biu":
            return np.asarray(np.squeeze(output), np.int64)
        scores = np.moveaxis(output, -1, 0) if self.channels_last else output
        if scores.ndim > 2 and scores.shape[0] > 1:  # noqa: PLR2004  # classes, height, width
            return np.asarray(scores.argmax(axis=0), np.int64).squeeze()
        return np.asarray(np.squeeze(scores) >= self.threshold, np.int64)

    def begin(self, subject: Subject) -> Measurement:
        """Return a measurement of class maps.

        Raises:
            StepInputError: there is no such output, it holds no map, or labels are asked for and
                there are none.
        """
        output = choose_output(self.output, subject, self.kind)
        if len(subject.outputs[output].shape) < _SIDES:
            wanted = "[classes, height, width] or [height, width]"
            raise refuse_shape(subject.outputs[output], self.kind, wanted)
        sides = choose_sides(
            self.against,
            subject,
            kind=self.kind,
            labels="`kind: masks`, or an array of them",
            fits=_are_masks,
        )
        return _Maps(self, output, sides)


class _Maps:
    """Of each sample and pair of maps: the pixels of each class in both, and in either."""

    def __init__(self, told: Segmentation, output: str, sides: Sides) -> None:
        self.outputs = (output,)
        self._told = told
        self._sides = sides
        self._pairs = ("labels_reference", "labels_candidate") if sides.labels else ()
        if sides.reference:
            self._pairs = (*self._pairs, "agreement")
        self._kept: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {
            pair: [] for pair in self._pairs
        }
        self._tables: dict[str, np.ndarray] = {}

    def add(self, sample: PairedSample) -> None:
        """Count pixels."""
        (output,) = self.outputs
        reference, candidate = (
            self._told.choose_classes(side[output]) for side in (sample.reference, sample.candidate)
        )
        if reference.shape != candidate.shape:
            raise CannotMeasure(
                f"its class maps are {list(reference.shape)} and {list(candidate.shape)}"
            )
        if "agreement" in self._kept:
            self._kept["agreement"].append(_count(reference, candidate, None))
        if "labels_reference" in self._kept:
            mask = _read_mask(sample.truth)
            for pair, side in zip(self._pairs, (reference, candidate), strict=False):
                fitted = _stretch(side, mask.shape)
                self._kept[pair].append(_count(mask, fitted, self._told.ignore_index))

    def fold(self, samples: np.ndarray) -> dict[str, Value]:
        """Return every figure over some samples."""
        drawn, remarks = self.fold_draws(samples[None]), dict(self._remarks(samples))
        return take_only_draw(self._told.figures(), drawn, remarks, without=self._sides.why)

    def fold_draws(self, draws: np.ndarray) -> Drawn:
        """Do the same for each draw."""
        made = {pair: _fold(sum_draws(self._table(pair), draws)) for pair in self._pairs}
        found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {}
        if "labels_candidate" in made:
            mine, other = made["labels_candidate"], made["labels_reference"]
            found["miou"], found["pixel_accuracy"] = (mine[0], other[0]), (mine[1], other[1])
        if "agreement" in made:
            union, pixels = made["agreement"]
            found["miou_agreement"], found["pixel_agreement"] = (union, None), (pixels, None)
        return found

    def _table(self, pair: str) -> np.ndarray:
        """Return the counts of all samples as one table, int64 [samples, 1 + 2 · classes]."""
        import numpy as np

        if pair not in self._tables:
            kept = self._kept[pair]
            most = max(len(both) for both, _ in kept)
            table = np.zeros((len(kept), 2, most), np.int64)
            for row, sides in zip(table, kept, strict=True):
                for line, counts in zip(row, sides, strict=True):
                    line[: len(counts)] = counts
            self._tables[pair] = table.reshape(len(kept), -1)
        return self._tables[pair]

    def _remarks(self, samples: np.ndarray) -> Iterator[tuple[str, str]]:
        for pair, names in (
            ("labels_candidate", ("miou", "pixel_accuracy")),
            ("agreement", ("miou_agreement", "pixel_agreement")),
        ):
            if pair not in self._kept:
                continue
            table = self._table(pair)[samples].sum(axis=0)
            classes = int((table[len(table) // 2 :] > 0).sum())
            if classes == 0:
                told = "no pixel of any mask counts"
            elif classes == 1:
                told = "all pixels are of one class: the figure says nothing"
            else:
                told = f"{classes} classes"
            yield from ((name, told) for name in names)


def _are_masks(labels: TensorSpec) -> bool:
    return "int" in labels.dtype and len(list_axes(labels)) == 2  # noqa: PLR2004  # height, width


def _read_mask(truth: np.ndarray | None) -> np.ndarray:
    import numpy as np

    mask = None if truth is None else np.squeeze(truth)
    if mask is None or mask.ndim != 2 or mask.dtype.kind not in "biu":  # noqa: PLR2004
        told = "none" if truth is None else f"{truth.dtype} of shape {list(truth.shape)}"
        raise CannotMeasure(f"its label is {told}, not a mask [height, width] of whole numbers")
    return np.asarray(mask, np.int64)


def _stretch(chosen: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a class map in the size of a mask: of each pixel the class at its place."""
    import numpy as np

    if chosen.ndim != 2:  # noqa: PLR2004
        raise CannotMeasure(f"its class map is {list(chosen.shape)}, not [height, width]")
    rows, columns = (
        (np.arange(wanted) * 2 + 1) * size // (2 * wanted)
        for wanted, size in zip(shape, chosen.shape, strict=True)
    )
    return np.asarray(chosen[rows][:, columns])


def _count(one: np.ndarray, other: np.ndarray, ignore: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return how many pixels each class has in both maps, and in either."""
    import numpy as np

    counted = np.ones(one.shape, bool) if ignore is None else one != ignore
    one, other = one[counted], other[counted]
    if one.size and min(one.min(), other.min()) < 0:
        raise CannotMeasure("it holds a class below 0 that is not `ignore_index`")
    classes = 1 + int(max(one.max(initial=0), other.max(initial=0)))
    both = np.bincount(one[one == other], minlength=classes)
    sides = (np.bincount(side, minlength=classes) for side in (one, other))
    return both, sum(sides) - both


def _fold(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean IoU and the share of equal pixels of each draw."""
    import numpy as np

    both, either = np.split(sums, 2, axis=1)
    unions = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    # A pixel that differs is in the unions of two classes.
    pixels = (both.sum(axis=1) + either.sum(axis=1)) / 2
    return take_ratio(unions.sum(axis=1), (either > 0).sum(axis=1)), take_ratio(
        both.sum(axis=1), pixels
    )
