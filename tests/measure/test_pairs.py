"""What a sample of an output is, and how two arrays are walked together."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.measure import pairs
from trtbuild.measure.pairs import Chunk, describe_form, iterate_chunks


@pytest.mark.parametrize(
    ("shape", "size", "classes", "array"),
    [
        ((10,), 10, 10, np.zeros((2, 10, 1, 1))),
        ((4, 5), 20, 5, np.zeros((2, 4, 5))),
        ((), 1, 0, np.zeros((2, 1))),
        ((), 1, 0, np.zeros(2)),
        ((3,), 3, 0, np.zeros((2, 3), np.int64)),
    ],
)
def test_a_sample_is_what_remains_without_axes_of_one(shape, size, classes, array):
    """Scores lie along the last axis; a single number and integers are no scores."""
    form = describe_form(array, array, None)

    assert (shape, size, classes) == (form.shape, form.size, form.classes)


def test_an_output_is_of_integers_where_both_sides_are():
    """An integer on one side alone is compared as a number."""
    whole, real = np.zeros((1, 2), np.int32), np.zeros((1, 2), np.float32)

    assert describe_form(whole, whole, None).integer
    assert not describe_form(whole, real, None).integer


@pytest.mark.parametrize(
    ("expected", "labels"), [(None, None), (None, np.array([], int)), ((2, 7), np.array([7, 2]))]
)
def test_labels_are_known_by_their_ends(expected, labels):
    """No labels, and labels of no sample, are the same: none."""
    array = np.zeros((2, 3))

    assert expected == describe_form(array, array, labels).labels


@pytest.mark.parametrize(("counts", "values"), [([5], 100), ([2, 2, 1], 8), ([1] * 5, 1)])
def test_pieces_are_bounded_and_leave_nothing_out(monkeypatch, counts, values):
    """Of 5 samples of 4 values: all, two at a time, and one, which is the least there is."""
    monkeypatch.setattr(pairs, "_CHUNK_VALUES", values)
    array, labels = np.arange(20.0).reshape(5, 4), np.arange(5)
    chunks = list(iterate_chunks(array, -array, labels, describe_form(array, array, labels)))

    assert counts == [len(chunk.reference) for chunk in chunks]
    assert [*range(5)] == [label for chunk in chunks for label in chunk.labels]
    for chunk in chunks:
        assert np.array_equal(chunk.reference, -chunk.candidate)


def test_infinities_have_an_order_and_nan_has_none():
    """Neither is finite."""
    array = np.array([[1.0, 2.0], [np.inf, 0.0], [np.nan, 0.0]])
    other = np.zeros((3, 2))
    chunk = Chunk(array, other, None, describe_form(array, other, None))

    assert ([True, False, False], [True] * 3) == tuple(side.tolist() for side in chunk.finite)
    assert [False, False, True] == chunk.unordered.tolist()
