"""One output measured: what cannot be is said, and no result depends on how it is read."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trtbuild.core.arrays import RaggedRows
from trtbuild.measure import pairs
from trtbuild.measure.metrics import Metric
from trtbuild.measure.outputs import measure_output

METRICS = get_args(Metric)


def measured(metric, reference, candidate, *, labels=None):
    """One metric of one output."""
    (found,) = measure_output(
        "y",
        reference,
        candidate,
        metrics=[metric],
        labels=None if labels is None else np.array(labels, np.int64),
    )
    return found


def test_measures_come_in_the_order_in_which_they_are_asked():
    """Each under its name, with the output's and the metric's own unit."""
    ones = np.ones((2, 3), np.float32)
    found = measure_output("y", ones, ones, metrics=["max_abs", "sqnr_db", "top1"])

    assert [("max_abs", "y", ""), ("sqnr_db", "y", "dB"), ("top1", "y", "share")] == [
        (each.metric, each.output, each.unit) for each in found
    ]
    assert [True, True, False] == [each.applies for each in found]


def test_no_samples_are_no_agreement():
    """Nothing was compared, so nothing is equal."""
    found = measured("cosine", np.zeros((0, 3)), np.zeros((0, 3)))

    assert (None, "there are no samples") == (found.value, found.remark)


@pytest.mark.parametrize("metric", METRICS)
def test_shapes_that_differ_are_no_crash(metric):
    """Nothing can be paired: the measure applies, has no value, and says both shapes."""
    found = measured(metric, np.zeros((2, 3)), np.zeros((2, 4)), labels=[0, 1])

    assert (None, True) == (found.value, found.applies)
    assert "[2, 3] against [2, 4]" in found.remark


@pytest.mark.parametrize(
    ("side", "reference", "candidate"),
    [("candidate", np.zeros((1, 2)), None), ("reference", None, np.zeros((1, 2)))],
)
def test_an_output_on_one_side_only_is_said(side, reference, candidate):
    """A vanished output must not look like one that was fine."""
    found = measured("cosine", reference, candidate)

    assert f"the {side} has no such output" == found.remark
    assert found.applies


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("side", ["reference", "candidate"])
def test_nan_has_no_value_and_is_traced_to_its_sample(metric, side):
    """NaN poisons every metric, ranks included, and the remark names side and sample."""
    fine = np.arange(18, dtype=float).reshape(3, 6)
    torn = fine.copy()
    torn[1, 2] = np.nan
    pair = (torn, fine) if side == "reference" else (fine, torn)
    found = measured(metric, *pair, labels=[0, 1, 2])

    assert (None, True) == (found.value, found.applies)
    assert f"the {side} holds NaN or Inf in 1 of 3 samples, first in sample 1" == found.remark


finite = st.floats(-1e6, 1e6, width=32)


@pytest.mark.parametrize("values", [1, 14, 27])
@given(arrays(np.float32, (5, 7), elements=finite), arrays(np.float32, (5, 7), elements=finite))
def test_no_result_depends_on_the_pieces(values, reference, candidate):
    """One, two or three samples at a time give the same bits as all at once."""
    everything = {"metrics": METRICS, "labels": np.arange(5)}
    whole = measure_output("y", reference, candidate, **everything)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "_CHUNK_VALUES", values)
        pieces = measure_output("y", reference, candidate, **everything)

    assert whole == pieces


@given(
    arrays(np.float64, (3, 4), elements=st.floats()),
    arrays(np.float64, (3, 4), elements=st.floats()),
)
def test_any_numbers_at_all_give_measures_that_json_can_hold(reference, candidate):
    """NaN, infinities and extremes give a value or a remark, never a crash."""
    for found in measure_output(
        "y", reference, candidate, metrics=METRICS, labels=np.array([0, 1, 2])
    ):
        assert found.value is not None or found.remark
        assert found == type(found).model_validate_json(found.model_dump_json())


def ragged(*rows):
    """Rows that differ in length, as a file of outputs gives them."""
    values = np.concatenate([np.ravel(row) for row in rows])
    return RaggedRows(values, np.array([np.shape(row) for row in rows]))


def test_samples_of_several_sizes_are_measured_one_by_one():
    """The least cosine is of the second sample, the largest difference too."""
    reference = ragged([1.0, 0.0], [1.0, 0.0, 0.0], [1.0])
    candidate = ragged([1.0, 0.0], [0.0, 2.0, 0.0], [1.0])
    cosine, difference, top = measure_output(
        "y", reference, candidate, metrics=["cosine", "max_abs", "top1"], labels=np.zeros(3, int)
    )

    assert (pytest.approx(2 / 3), 1) == (cosine.value, cosine.worst_sample)
    assert 2 == difference.value
    assert "samples differ in shape" in top.remark


def test_sizes_that_differ_between_the_sides_are_named():
    """With the first sample in which they do."""
    (found,) = measure_output("y", ragged([1.0], [1.0, 2.0]), np.ones((2, 1)), metrics=["max_abs"])

    assert "shapes differ in sample 1: [2] against [1]" == found.remark
