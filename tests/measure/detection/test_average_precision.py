"""Average precision of a few hits by hand, and of many as COCO's code has it."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from tests.helpers.detecting import draw_scene
from trtbuild.measure.detection.average_precision import AveragePrecision
from trtbuild.measure.detection.matching import Hits, Objects, match


def hits_of(*found, present):
    """Detections as (class, score, right), right at each overlap or none."""
    right = np.repeat(np.array([each[2] for each in found], bool).reshape(-1, 1), 10, axis=1)
    return Hits(
        classes=np.array([each[0] for each in found], np.int64),
        scores=np.array([each[1] for each in found], np.float64),
        right=right,
        ignored=np.zeros_like(right),
        present=np.array(present, np.int64),
    )


def folded(hits, *samples):
    return AveragePrecision(hits).fold_draws(np.array([samples]))[0]


def test_one_of_two_found_at_once_is_half():
    """Precision 1 up to a recall of 0.5, which 51 of the 101 recalls are; 0 beyond."""
    assert pytest.approx(51 / 101) == folded([hits_of((0, 0.9, True), present=[0, 0])], 0)[0]


def test_a_wrong_one_before_the_right_one_halves_precision():
    """The one thing there is found second: precision 1/2 at every recall."""
    found = [hits_of((0, 0.9, False), (0, 0.8, True), present=[0])]

    assert pytest.approx(0.5) == folded(found, 0)[0]


def test_classes_weigh_alike_and_only_those_that_are_there():
    """Class 0 is found, class 1 is not; class 2 is detected where there is none, and no class."""
    found = [hits_of((0, 0.9, True), (2, 0.9, False), present=[0, 1])]

    assert pytest.approx(0.5) == folded(found, 0)[0]


def test_a_sample_may_come_twice_or_not_at_all():
    """Twice the picture with the miss: recall 1/3."""
    found = [hits_of((0, 0.9, True), present=[0]), hits_of(present=[0])]

    assert pytest.approx(1.0) == folded(found, 0, 0)[0]
    assert pytest.approx(34 / 101) == folded(found, 0, 1, 1)[0]


def test_without_anything_there_it_is_no_number():
    """No object in any label."""
    assert np.isnan(folded([hits_of((0, 0.9, False), present=[])], 0)).all()


def scenes(count):
    rng = np.random.default_rng(3)
    return [draw_scene(rng, classes=3) for _ in range(count)]


def coco_says(scenes):
    """The library's own figures, of all pictures at once."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    rows = {"truth": [], "found": []}
    for image, (truth, found) in enumerate(scenes, 1):
        rows["truth"] += [(image, *row, 1.0) for row in truth.tolist()]
        columns = zip(
            found.classes.tolist(), found.corners.tolist(), found.scores.tolist(), strict=True
        )
        rows["found"] += [(image, kind, *box, score) for kind, box, score in columns]
    sides = []
    with contextlib.redirect_stdout(io.StringIO()):
        for table in rows.values():
            coco = COCO()
            coco.dataset = {
                "images": [{"id": image} for image in range(1, len(scenes) + 1)],
                "categories": [{"id": kind} for kind in range(3)],
                "annotations": [
                    {
                        "id": number,
                        "image_id": image,
                        "category_id": int(kind),
                        "bbox": [left, top, right - left, bottom - top],
                        "area": (right - left) * (bottom - top),
                        "iscrowd": 0,
                        "score": score,
                    }
                    for number, (image, kind, left, top, right, bottom, score) in enumerate(
                        table, 1
                    )
                ],
            }
            coco.createIndex()
            sides.append(coco)
        evaluation = COCOeval(*sides, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[1], evaluation.stats[0]


def test_it_is_what_the_library_says_of_all_pictures():
    """COCOeval.accumulate on the same pictures: as they are, and some of them twice."""
    pytest.importorskip("pycocotools")
    given = scenes(12)
    hits = [
        match(
            found,
            Objects(truth[:, 1:], truth[:, 0].astype(np.int64), np.zeros(len(truth), bool)),
            most=100,
        )
        for truth, found in given
    ]
    for draw in (range(12), [0, 1, 1, 1, 4, 5, 5, 8]):
        mine = folded(hits, *draw)

        assert pytest.approx(coco_says([given[each] for each in draw])) == (mine[0], mine.mean())
