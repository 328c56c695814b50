"""Finding: the boxes that count, of what a head puts out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.measure.detection.boxes import Boxes, suppress
from trtbuild.measure.detection.layouts import Layout

if TYPE_CHECKING:
    import numpy as np

__all__ = ["find_boxes", "rank"]

_BEYOND = 0.5


def find_boxes(
    layout: Layout,
    outputs: Sequence[np.ndarray],
    *,
    score_threshold: float,
    iou_threshold: float,
    by_class: bool,
    multi_label: bool,
    most: int,
) -> Boxes:
    """Return the boxes of one picture that count, highest score first.

    Those with a score of `score_threshold` at least, after non-maximum suppression unless the model
    did that itself. With `multi_label` a box counts once for each class that reaches the threshold,
    else for its best one.

    Raises:
        StepInputError: the outputs are not of this layout.
    """
    decoded = layout.decode(*outputs)
    _demand_scores(decoded.scores if isinstance(decoded, Boxes) else decoded[1])
    if isinstance(decoded, Boxes):
        return rank(decoded.above(score_threshold), most)
    corners, scores = decoded
    chosen = _choose(corners, scores, score_threshold, multi_label=multi_label)
    return suppress(chosen, threshold=iou_threshold, by_class=by_class, most=most)


def rank(boxes: Boxes, most: int) -> Boxes:
    """Return the `most` with the highest scores, in their order; of equal scores the first."""
    import numpy as np

    return boxes.take(np.argsort(-boxes.scores, kind="stable")[:most])


def _demand_scores(scores: np.ndarray) -> None:
    """Refuse what can be no scores of 0..1, whatever quantization has done to them.

    Raises:
        StepInputError: it is something else, and so probably the whole output.
    """
    low, high = (float(each) for each in (scores.min(initial=0), scores.max(initial=0)))
    if low < -_BEYOND or high > 1 + _BEYOND:
        raise StepInputError(
            f"scores go from {low:.3g} to {high:.3g}, and not from 0 to 1",
            hint="is it another layout (`trtbuild kinds layout`), or are they in front of their "
            "`activation`?",
        )


def _choose(
    corners: np.ndarray, scores: np.ndarray, threshold: float, *, multi_label: bool
) -> Boxes:
    import numpy as np

    if multi_label:
        box, kind = np.nonzero(scores >= threshold)
        return Boxes(corners[box], scores[box, kind], kind.astype(np.int64))
    best = scores.max(axis=1, initial=-np.inf)
    few = np.flatnonzero(best >= threshold)  # of thousands
    kinds = scores[few].argmax(axis=1) if len(few) else few
    return Boxes(corners[few], best[few], kinds.astype(np.int64))
