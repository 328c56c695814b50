"""embedding, on directions in a plane."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import begun, folded, metric_of


def at(*degrees):
    """Vectors of several lengths in these directions."""
    turns = np.radians(degrees)
    rows = (
        np.stack([np.cos(turns), np.sin(turns)], axis=1) * np.arange(1, len(degrees) + 1)[:, None]
    )
    return [row.astype(np.float32) for row in rows]


REFERENCE = at(0, 10, 40, 60)  # nearest: 1, 0, 3, 2
CANDIDATE = at(0, 10, 32, 60)  # nearest: 1, 0, 1, 2


def made(labels=None, **options):
    metric = metric_of(kind="embedding", neighbours=[1, 2], **options)
    return begun(metric, {"y": REFERENCE}, {"y": CANDIDATE}, labels=labels)


def test_recall_is_of_the_nearest_neighbours():
    """The third finds another nearest one, but among two the same."""
    found = folded(made(), range(4))

    assert (None, 0.75) == found["recall_at_1"]
    assert (None, 1.0) == found["recall_at_2"]


def test_the_gallery_may_be_the_reference_s():
    """32 degrees lies 8 from the reference's 40, which is itself, then 22 from 10."""
    assert (None, 0.75) == folded(made(gallery="reference"), range(4))["recall_at_1"]


def test_pairs_differ_by_eight_degrees_once():
    """The mean of 1, 1, cos 8° and 1; lengths do not count."""
    assert (
        pytest.approx((3 + np.cos(np.radians(8))) / 4) == folded(made(), range(4))["pair_cosine"][1]
    )


def test_neighbours_are_of_the_same_class_on_both_sides():
    """Two classes of two: all right in one, the third wrong in the other."""
    assert (1.0, 0.75) == folded(made([0, 0, 1, 1]), range(4))["neighbour_accuracy"]


def test_what_means_nothing_says_so():
    """Two of three neighbours are found by chance; one class is always right; few have none."""
    found = made([5, 5, 5, 5]).fold(np.arange(4))
    lone = begun(metric_of(kind="embedding"), {"y": REFERENCE[:1]}, {"y": CANDIDATE[:1]})
    alone = lone.fold(np.array([0]))["recall_at_1"]

    assert "chance alone gives 67 %" in found["recall_at_2"].remark
    assert "one class" in found["neighbour_accuracy"].remark
    assert (None, "with 1 samples nothing has 1 neighbours") == (alone.value, alone.remark)
