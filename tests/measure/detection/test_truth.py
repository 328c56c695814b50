"""Rows of a label."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.measure.base import CannotMeasure
from trtbuild.measure.detection.truth import read_objects


def read(rows, **options):
    return read_objects(np.array(rows, np.float32), **{"normalized": False, "first": 0, **options})


def test_a_row_is_a_class_and_corners():
    """With the input's size and whether it is a crowd behind them, where that is known."""
    found = read([[2, 0, 0, 10, 20, 100, 200, 1], [-1, 0, 0, 0, 0, 0, 0, 0]])

    assert [[0, 0, 10, 20]] == found.corners.tolist()
    assert [2] == found.classes.tolist()
    assert [True] == found.crowds.tolist()


def test_the_size_makes_shares_of_pixels():
    """10 of 100, 20 of 200; without a size they are shares already."""
    sized = read([[0, 0, 0, 10, 20, 100, 200]], normalized=True)
    plain = read([[0, 0, 0, 0.1, 0.1]], normalized=True)

    assert [0, 0, 0.1, 0.1] == pytest.approx(sized.corners[0].tolist())
    assert [0, 0, 0.1, 0.1] == pytest.approx(plain.corners[0].tolist())


def test_classes_may_count_from_one():
    """And a class in front of the first is told."""
    assert [1] == read([[2, 0, 0, 1, 1]], first=1).classes.tolist()
    with pytest.raises(CannotMeasure, match="a class below 1"):
        read([[0, 0, 0, 1, 1]], first=1)


@pytest.mark.parametrize("rows", [[1, 2, 3, 4, 5], [[1, 2, 3, 4]], [[0] * 9]])
def test_what_is_no_table_of_boxes_is_told(rows):
    """The frame adds which sample it is."""
    with pytest.raises(CannotMeasure, match="not rows of"):
        read(rows)
