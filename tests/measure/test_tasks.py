"""Metrics with options: what is made of a walk over both sides."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import metric_of
from trtbuild.core.arrays import RaggedRows
from trtbuild.measure.base import Subject
from trtbuild.measure.tasks import Task, describe_output, measure_tasks

SCORES = np.array([[9, 1, 0], [1, 9, 0], [0, 9, 1], [9, 5, 1]], np.float32)


def measured(reference=SCORES, candidate=SCORES, kind="classification", **options):
    """Every figure of a kind, by name; of `classification` unless another is asked for."""
    subject = Subject(
        outputs={"y": describe_output("y", reference)},
        inputs={},
        samples=len(reference),
        classes=(0, 1, 2, 1),
    )
    found = measure_tasks(
        [
            Task(
                metric_of(
                    kind=kind, **({"top": [1]} if kind == "classification" else {}), **options
                ),
                {},
            )
        ],
        subject,
        reference={"y": reference},
        candidate={} if candidate is None else {"y": candidate},
        confidences=(0.95,),
    )
    return {measure.metric: measure for measure in found}


def test_a_figure_has_both_sides_and_their_interval():
    """Two of four are right on both sides: a score interval is as wide as four samples make it."""
    top1, recall = measured().values()

    assert (0.5, 0.5, 0.0) == (top1.value, top1.reference, top1.drop)
    assert "c0" == top1.right
    assert pytest.approx((0.150, 0.850), abs=1e-3) == top1.intervals[0].value
    assert pytest.approx((-0.490, 0.490), abs=1e-3) == top1.intervals[0].drop
    assert ("bootstrap", (0.0, 0.0)) == (recall.intervals[0].method, recall.intervals[0].drop)


def test_figures_go_by_the_name_of_their_metric():
    """Two heads have one figure each."""
    assert ["head.top1", "head.balanced_accuracy"] == list(measured(name="head"))


def test_nan_is_a_failure_with_its_sample():
    """On the candidate's side it is broken, whatever is asked; the reference's is remarked on."""
    spoilt = SCORES.copy()
    spoilt[2, 0] = np.nan
    mine, other = measured(candidate=spoilt)["top1"], measured(reference=spoilt)["top1"]

    assert (None, "the candidate's `y` holds NaN in sample 2") == (mine.value, mine.remark)
    assert (True, False) == (mine.broken, other.broken)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_where_the_reference_has_none_is_a_failure(value):
    """Of what counts values; a score of minus infinity is the lowest, and no more."""
    endless = SCORES.copy()
    endless[2, 0] = value
    found = measured(candidate=endless, kind="regression")["mae"]

    why = "the candidate's `y` holds infinite values in sample 2"
    assert (None, why, True) == (found.value, found.remark, found.broken)
    of_reference = measured(endless, endless, kind="embedding")["pair_cosine"]
    assert (None, False) == (of_reference.value, of_reference.broken)
    assert measured(candidate=endless)["top1"].value is not None


def test_a_missing_output_and_an_odd_sample_are_named():
    """An output that is not there; scores that are too few for the label."""
    rows = RaggedRows(SCORES.ravel()[:11], np.array([[3], [3], [2], [3]]))
    missing, odd = measured(candidate=None)["top1"], measured(candidate=rows)["top1"]

    assert (True, "the candidate has no output `y`") == (missing.broken, missing.remark)
    assert "sample 2: it has 2 scores, and its label is 2" == odd.remark
