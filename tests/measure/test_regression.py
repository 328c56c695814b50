"""regression, on numbers to redo by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import begun, folded, metric_of
from trtbuild.measure.base import CannotMeasure


def made(reference, candidate, **labels):
    sides = ({"y": [np.array(row, np.float32) for row in side]} for side in (reference, candidate))
    return begun(metric_of(kind="regression"), *sides, **labels)


def test_errors_are_over_all_values():
    """Off by 0, 2, 1, 1: mean 1, squares 6 of 4."""
    found = folded(made([[0, 0], [0, 0]], [[0, 2], [1, -1]]), [0, 1])

    assert (None, 1.0) == found["mae"]
    assert pytest.approx(1.5**0.5) == found["rmse"][1]


def test_targets_are_held_against_both_sides():
    """Targets 1 and 3: the reference is right, the candidate as good as their mean."""
    found = folded(made([[1], [3]], [[2], [2]], truths=[np.array(1.0), np.array(3.0)]), [0, 1])

    assert (0.0, 1.0) == found["target_mae"]
    assert (0.0, 1.0) == found["target_rmse"]
    assert (1.0, 0.0) == found["target_r2"]


def test_large_targets_differ_all_the_same():
    """A second, counted from 1970: the variance is of what differs."""
    start = 1.7e9
    targets = [np.array(start + step) for step in (0, 1, 2, 3)]
    sides = (
        {"y": [np.array([start + at]) for at in side]} for side in ([0, 1, 2, 3], [0, 1, 2, 2])
    )
    found = folded(begun(metric_of(kind="regression"), *sides, truths=targets), [0, 1, 2, 3])

    assert pytest.approx((1.0, 0.8)) == found["target_r2"]


def test_whole_numbers_are_targets_too():
    """Ages, that a classifier would take for classes."""
    assert (0.0, 1.0) == folded(made([[30]], [[31]], labels=[30]), [0])["target_mae"]


def test_a_class_is_no_target_of_several_values():
    """The reference is one all the same: what it says is measured."""
    found = made([[30, 1]], [[31, 1]], labels=[1]).fold(np.array([0]))

    assert (0.5, False) == (found["mae"].value, found["target_mae"].applies)
    assert "the data's labels are classes" == found["target_mae"].remark


def test_equal_targets_have_no_variance_to_explain():
    """Said, in place of a share of nothing."""
    found = made([[0.1]] * 2, [[0.2]] * 2, truths=[np.array(0.1)] * 2).fold(np.array([0, 1]))

    assert found["target_r2"].value is None
    assert "no variance" in found["target_r2"].remark


def test_labels_of_other_sizes_do_not_count():
    """Two targets for one value."""
    found = made([[0]], [[0]], truths=[np.array([1.0, 2.0])]).fold(np.array([0]))

    assert "the data's labels are float64 [2]" in found["target_mae"].remark


def test_sides_of_other_sizes_are_told():
    """The frame adds which sample it is."""
    with pytest.raises(CannotMeasure, match="1 values on one side, and 2"):
        made([[0]], [[0, 1]])


@pytest.mark.parametrize(("told", "scale"), [(True, 1000), (False, 2)])
def test_values_of_unlike_scale_are_told(told, scale):
    """An error over both says nothing of the smaller one; parts of the output have names."""
    rows = [[np.sin(place), scale * (1.5 + np.cos(place))] for place in range(20)]
    found = made(rows, rows).fold(np.arange(20))

    wanted = "its parts differ in scale, and the largest decides: give `y[:, 0:1]`, `y[:, 1:2]` a"
    assert [told] * 2 == [found[name].remark.startswith(wanted) for name in ("mae", "rmse")]
