"""Agreement: which boxes of one side the other has too."""

from __future__ import annotations

from dataclasses import dataclass

from trtbuild.measure.detection.boxes import Boxes, find_overlaps

__all__ = ["Agreement", "agree"]


@dataclass(frozen=True)
class Agreement:
    """How many boxes of one picture are on both sides, or on one alone."""

    both: int
    missed: int
    """Of the reference, without one of the candidate."""
    extra: int
    """Of the candidate, without one of the reference."""


def agree(reference: Boxes, candidate: Boxes, *, iou: float) -> Agreement:
    """Match the candidate's boxes, highest score first, each with one of the reference's.

    The match is the one, of the same class and not taken yet, that overlaps most,
    with `iou` at least: as COCO matches detections with what is there.
    """
    import numpy as np

    overlaps = find_overlaps(candidate.corners, reference.corners)
    overlaps[candidate.classes[:, None] != reference.classes[None, :]] = -1
    both = 0
    for row in np.argsort(-candidate.scores, kind="stable"):
        if not overlaps.shape[1]:
            break
        best = int(overlaps[row].argmax())
        if overlaps[row, best] >= iou:
            overlaps[:, best] = -1
            both += 1
    return Agreement(both, len(reference) - both, len(candidate) - both)
