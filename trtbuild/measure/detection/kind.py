"""detection: mean average precision by labels, and how far two detectors agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import UnitInterval
from trtbuild.measure.base import (
    Figure,
    Measurement,
    MetricKind,
    PairedSample,
    Subject,
    Value,
)
from trtbuild.measure.choose_output import choose_output
from trtbuild.measure.detection.agreement import agree
from trtbuild.measure.detection.average_precision import AveragePrecision
from trtbuild.measure.detection.boxes import Boxes
from trtbuild.measure.detection.finding import find_boxes
from trtbuild.measure.detection.layouts import Layout
from trtbuild.measure.detection.matching import Hits, match
from trtbuild.measure.detection.truth import are_objects, read_objects
from trtbuild.measure.draws import Drawn, sum_draws, take_only_draw, take_ratio
from trtbuild.measure.truths import Against, Sides, choose_figures, choose_sides

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Detection"]

_BY_LABELS = ("map50", "map50_95")
_NOTHING = 0.01
_IN_VAIN = (
    "the reference itself finds next to nothing of what labels hold: are its layout, the order of "
    "classes and the unit of boxes as the recipe says?"
)
"""Beside a mAP of the reference below 1 %."""
_FEW = 100
"""Detections of the reference below which a share of them says little."""


class Detection(MetricKind):
    """Boxes: mAP by labels as COCO counts it, and what the candidate finds of the reference's.

    Figures: `map50` and `map50_95` where the data has labels; `f1`, `missed` and `extra` against
    the reference's own detections. Needs `trtbuild[detection]` for mAP.
    """

    resamples: ClassVar[int] = 300

    kind: Literal["detection"]
    layout: Layout
    """What the outputs of the head are: `yolov8`, `yolov5`, `ssd`, `end_to_end` or `decoded`."""
    against: Against | None = None
    """`labels` for mAP alone, `reference` for agreement alone; by default both, labels where the
    data has them."""
    score_threshold: UnitInterval = 0.25
    """The least score of a box that counts for agreement."""
    map_score_threshold: UnitInterval = 0.001
    """The least score of a box that counts for mAP, which weighs all scores."""
    iou_threshold: UnitInterval = 0.7
    """Non-maximum suppression: a box goes that overlaps with a better one by more than this
    (intersection over union)."""
    class_agnostic: bool = False
    """Whether a box also goes where the better one is of another class."""
    multi_label: bool = False
    """Whether a box counts for every class that reaches the threshold, and not for its best one
    alone."""
    max_detections: Annotated[int, Field(gt=0)] = 100
    """How many boxes of a picture count, those of the highest scores; COCO counts 100."""
    match_iou: UnitInterval = 0.5
    """The least overlap (intersection over union) at which a box is the reference's."""
    normalized: bool = False
    """Whether the model's boxes are from 0 to 1 of the picture, and not in pixels of its input."""
    first_label: Annotated[int, Field(ge=0)] = 0
    """What labels call the class of the first score: 1 where they keep 0 for the background."""

    @property
    def needs_labels(self) -> bool:
        """Where it is held against them alone."""
        return self.against == "labels"

    def figures(self) -> tuple[Figure, ...]:
        """Return those by labels, then those of agreement."""
        at = f"at an overlap of {self.match_iou:g}"
        by_labels = (
            Figure(
                "map50",
                "the mean over the classes of the average precision at an overlap of 0.5, as COCO "
                "counts it",
                unit="share",
                own=True,
            ),
            Figure(
                "map50_95",
                "the same as mean over overlaps of 0.5, 0.55, ... 0.95",
                unit="share",
                own=True,
            ),
        )
        by_reference = (
            Figure(
                "f1",
                f"what both detectors find, 2·both / (reference + candidate), {at}, as share",
                unit="share",
            ),
            Figure(
                "missed",
                f"the share of the reference's detections that the candidate has not, {at}",
                unit="share",
                better="low",
            ),
            Figure(
                "extra",
                f"the share of the candidate's detections that the reference has not, {at}",
                unit="share",
                better="low",
            ),
        )
        return choose_figures(self.against, by_labels=by_labels, by_reference=by_reference)

    def count_resamples(self) -> int:
        """Return fewer where average precision is made of each."""
        return self.resamples

    def fact_names(self) -> tuple[str, ...]:
        """Name NumPy, and what matches detections with labels."""
        return ("numpy",) if self.against == "reference" else ("numpy", "pycocotools")

    def begin(self, subject: Subject) -> Measurement:
        """Return a measurement of boxes.

        Raises:
            StepInputError: there is no such output, or labels are asked for and there are none.
        """
        outputs = tuple(choose_output(name, subject, self.kind) for name in self.layout.names())
        sides = choose_sides(
            self.against,
            subject,
            kind=self.kind,
            labels="`kind: yolo`, `coco`, or arrays of boxes",
            fits=are_objects,
        )
        if sides.labels:
            _demand_library()
        return _Detections(self, outputs, sides)


class _Detections:
    """What both sides find in each picture, against each other and against what is there."""

    def __init__(self, told: Detection, outputs: tuple[str, ...], sides: Sides) -> None:
        self.outputs = tuple(dict.fromkeys(outputs))
        self._told = told
        self._outputs = outputs
        self._sides = sides
        self._hits: tuple[list[Hits], list[Hits]] = ([], [])
        self._counts: list[tuple[int, int, int]] = []
        self._precisions: tuple[AveragePrecision, AveragePrecision] | None = None

    def add(self, sample: PairedSample) -> None:
        """Keep matches with labels, and how many boxes both sides share."""
        reference, candidate = (self._find(side) for side in (sample.reference, sample.candidate))
        if self._sides.reference:
            sides = (each.above(self._told.score_threshold) for each in (reference, candidate))
            found = agree(*sides, iou=self._told.match_iou)
            self._counts.append((found.both, found.missed, found.extra))
        if self._sides.labels:
            told = self._told
            objects = read_objects(sample.truth, normalized=told.normalized, first=told.first_label)
            for kept, boxes in zip(self._hits, (reference, candidate), strict=True):
                kept.append(match(boxes, objects, most=self._told.max_detections))

    def _find(self, side: Mapping[str, np.ndarray]) -> Boxes:
        told = self._told
        lowest = told.score_threshold
        if self._sides.labels:
            lowest = (
                min(told.map_score_threshold, lowest)
                if self._sides.reference
                else told.map_score_threshold
            )
        try:
            return find_boxes(
                told.layout,
                [side[name] for name in self._outputs],
                score_threshold=lowest,
                iou_threshold=told.iou_threshold,
                by_class=not told.class_agnostic,
                multi_label=told.multi_label,
                most=told.max_detections,
            )
        except StepInputError as error:
            raise StepInputError(f"`kind: detection`: {error.message}", hint=error.hint) from None

    def fold(self, samples: np.ndarray) -> dict[str, Value]:
        """Return every figure over some pictures; what cannot mean anything says why."""
        drawn = self.fold_draws(samples[None])
        remarks = dict(self._remarks(samples))
        if self._sides.labels and drawn["map50"][1] is not None and drawn["map50"][1][0] < _NOTHING:
            remarks |= dict.fromkeys(_BY_LABELS, _IN_VAIN)
        return take_only_draw(self._told.figures(), drawn, remarks, without=self._sides.why)

    def fold_draws(self, draws: np.ndarray) -> Drawn:
        """Do the same for each draw."""
        import numpy as np

        found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {}
        if self._sides.labels:
            if self._precisions is None:
                one, other = (AveragePrecision(each) for each in self._hits)
                self._precisions = (one, other)
            reference, candidate = (each.fold_draws(draws) for each in self._precisions)
            found["map50"] = (candidate[:, 0], reference[:, 0])
            found["map50_95"] = (candidate.mean(axis=1), reference.mean(axis=1))
        if self._sides.reference:
            both, missed, extra = sum_draws(np.array(self._counts), draws).T
            found["f1"] = (take_ratio(2 * both, 2 * both + missed + extra), None)
            found["missed"] = (take_ratio(missed, both + missed), None)
            found["extra"] = (take_ratio(extra, both + extra), None)
        return found

    def _remarks(self, samples: np.ndarray) -> Iterator[tuple[str, str]]:
        import numpy as np

        if self._sides.labels:
            things = sum(len(self._hits[0][each].present) for each in samples.tolist())
            told = (
                f"{things} objects in {len(samples)} pictures"
                if things
                else "there is no object in any picture's labels"
            )
            yield from ((name, told) for name in _BY_LABELS)
        if not self._sides.reference:
            return
        both, missed, extra = np.array(self._counts)[samples].sum(axis=0).tolist()
        of_reference, of_candidate = both + missed, both + extra
        at = f"with a score of {self._told.score_threshold:g} or more"
        if not of_reference:
            told = f"the reference detects nothing {at}: there is nothing to agree with"
            yield from ((name, told) for name in ("f1", "missed"))
        elif of_reference < _FEW:
            yield "f1", f"of only {of_reference} detections {at}"
            yield "missed", f"{missed} of {of_reference}"
        else:
            yield "missed", f"{missed} of {of_reference}"
        yield (
            "extra",
            f"{extra} of {of_candidate}" if of_candidate else f"the candidate detects nothing {at}",
        )


def _demand_library() -> None:
    import pycocotools.cocoeval  # noqa: F401  # a missing one shows before any sample is read
