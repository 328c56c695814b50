"""COCO's own code, a picture at a time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.detecting import boxes_of
from trtbuild.measure.detection.matching import OVERLAPS, Objects, match

pytest.importorskip("pycocotools")
HERE, NEAR, THERE = [0, 0, 10, 10], [0, 0, 10, 8], [50, 50, 60, 60]


def objects_of(*rows):
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Objects(table[:, 1:5], table[:, 0].astype(np.int64), table[:, 5] > 0)


def test_a_hit_holds_up_to_its_overlap():
    """0.8 is enough for seven of the ten; what lies on nothing is wrong at all."""
    found = match(boxes_of([*NEAR, 0.9, 3], [*THERE, 0.8, 3]), objects_of([3, *HERE, 0]), most=100)

    assert [each <= 0.8 for each in OVERLAPS] == found.right[0].tolist()
    assert not found.right[1].any()
    assert [3] == found.present.tolist()


def test_in_a_crowd_nothing_is_wrong():
    """Several detections in one crowd are ignored, and the crowd is nothing to find."""
    found = match(boxes_of([*HERE, 0.9, 0], [*HERE, 0.8, 0]), objects_of([0, *HERE, 1]), most=100)

    assert found.ignored.all()
    assert [] == found.present.tolist()


def test_an_empty_picture_is_one(capsys):
    """Nothing there and nothing found; and the library's own words are not shown."""
    found = match(boxes_of(), objects_of(), most=100)

    assert (0, 10) == found.right.shape
    assert "" == capsys.readouterr().out
