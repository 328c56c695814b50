"""Matching: which detections COCO's own code takes for right, at each of its ten overlaps."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trtbuild.measure.detection.boxes import Boxes

if TYPE_CHECKING:
    import numpy as np

__all__ = ["OVERLAPS", "Hits", "Objects", "match"]

OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""0.50 to 0.95, as COCO has them."""


@dataclass(frozen=True)
class Objects:
    """What is there in one picture."""

    corners: np.ndarray
    """float64 [n, 4]: left, top, right, bottom."""
    classes: np.ndarray
    """int64 [n]."""
    crowds: np.ndarray
    """bool [n]: several things under one box, which COCO neither counts nor holds against a model.
    """


@dataclass(frozen=True)
class Hits:
    """How the detections of one picture fare; of classes that are in it, or detected."""

    classes: np.ndarray
    """int64 [n], of each detection."""
    scores: np.ndarray
    """float64 [n]."""
    right: np.ndarray
    """bool [n, 10]: matched with what is there, at each overlap."""
    ignored: np.ndarray
    """bool [n, 10]: neither right nor wrong, in a crowd."""
    present: np.ndarray
    """int64 [m]: the class of each thing that is there and counts."""


def match(found: Boxes, objects: Objects, *, most: int) -> Hits:
    """Match the detections of one picture with what is there, by pycocotools.

    Its own evaluation of one image, over all areas, with the `most` detections of a class.
    """
    import numpy as np
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # it tells each of its steps
        truth, detected = _index(objects), _index(found)
        evaluation = COCOeval(truth, detected, "bbox")
        evaluation.params.imgIds = [1]
        evaluation.params.catIds = sorted({*truth.getCatIds(), *detected.getCatIds()})
        evaluation.params.areaRng = [[0, float("inf")]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [most]
        evaluation.params.iouThrs = np.array(OVERLAPS)
        if evaluation.params.catIds:
            evaluation.evaluate()
    return _gather([each for each in evaluation.evalImgs if each is not None], objects)


def _index(boxes: Boxes | Objects) -> Any:
    """Return what COCO's code reads detections or annotations from."""
    from pycocotools.coco import COCO

    coco = COCO()
    scores = boxes.scores if isinstance(boxes, Boxes) else [None] * len(boxes.classes)
    crowds = boxes.crowds if isinstance(boxes, Objects) else [False] * len(boxes.classes)
    columns = zip(boxes.corners.tolist(), boxes.classes.tolist(), scores, crowds, strict=True)
    coco.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": each} for each in sorted(set(boxes.classes.tolist()))],
        "annotations": [
            {
                "id": number,
                "image_id": 1,
                "category_id": kind,
                "bbox": [left, top, right - left, bottom - top],
                "area": (right - left) * (bottom - top),
                "iscrowd": int(crowd),
                "score": score,
            }
            for number, ((left, top, right, bottom), kind, score, crowd) in enumerate(columns, 1)
        ],
    }
    coco.createIndex()
    return coco


def _gather(evaluated: list[dict[str, Any]], objects: Objects) -> Hits:
    import numpy as np

    counts = [len(each["dtScores"]) for each in evaluated]
    kinds = [each["category_id"] for each in evaluated]
    none = np.zeros((0, len(OVERLAPS)), bool)
    return Hits(
        classes=np.repeat(np.array(kinds, np.int64), counts),
        scores=np.concatenate([np.zeros(0), *(each["dtScores"] for each in evaluated)]),
        right=np.concatenate([none, *((each["dtMatches"] > 0).T for each in evaluated)]),
        ignored=np.concatenate([none, *(each["dtIgnore"].astype(bool).T for each in evaluated)]),
        present=objects.classes[~objects.crowds],
    )
