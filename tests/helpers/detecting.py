"""Boxes and heads small enough to read."""

from __future__ import annotations

import numpy as np

from trtbuild.measure.detection.boxes import Boxes

__all__ = ["boxes_of", "draw_boxes", "draw_scene"]


def boxes_of(*rows):
    """Boxes, each as left, top, right, bottom, score, class."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Boxes(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def draw_boxes(rng, count):
    """Corners of boxes in a picture of 100 x 100."""
    corners = rng.uniform(0, 60, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(5, 40, (count, 2))], axis=1)


def draw_scene(rng, *, classes):
    """What is there, as rows of class, corners; and what a fair detector finds."""
    there, kinds = draw_boxes(rng, rng.integers(0, 7)), None
    kinds = rng.integers(0, classes, len(there))
    seen = rng.random(len(there)) < 0.8
    near = there[seen] + rng.normal(0, 3, (seen.sum(), 4))
    wrong = draw_boxes(rng, rng.integers(0, 9))
    corners = np.concatenate([near, wrong])
    found = np.concatenate([kinds[seen], rng.integers(0, classes, len(wrong))])
    # Two digits, so that scores are equal now and then.
    scores = np.round(rng.random(len(corners)), 2)
    truth = np.concatenate([kinds[:, None], there], axis=1)
    return truth, Boxes(corners, scores, found)
