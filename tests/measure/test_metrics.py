"""Metrics on arrays small enough to redo by hand."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trtbuild.measure.metrics import METRIC_ROWS, Metric
from trtbuild.measure.outputs import measure_output

METRICS = get_args(Metric)


def measured(metric, reference, candidate, *, labels=None, dtype=np.float32):
    """One metric of one output."""
    (found,) = measure_output(
        "y",
        None if reference is None else np.array(reference, dtype),
        None if candidate is None else np.array(candidate, dtype),
        metrics=[metric],
        labels=None if labels is None else np.array(labels, np.int64),
    )
    return found


def test_every_metric_has_its_row():
    """The names that a recipe may write are those of the table."""
    assert set(METRICS) == set(METRIC_ROWS)


@pytest.mark.parametrize("metric", METRICS)
def test_the_better_end_is_where_less_noise_leads(metric):
    """What gates, differences and reports go by."""
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(400, 10))
    noise = rng.normal(size=(400, 10))
    labels = np.argsort(-reference, axis=1)[:, 0]
    near, far = (
        measured(metric, reference, reference + share * noise, labels=labels).value
        for share in (0.1, 3.0)
    )

    assert ("high" if near > far else "low") == METRIC_ROWS[metric].better


def test_cosine_is_the_mean_over_samples_and_names_the_worst():
    """cos 0° and cos 60° have the mean 0.75; the second sample is the worst."""
    found = measured("cosine", [[1, 0], [1, 0]], [[2, 0], [1, 3**0.5]], dtype=np.float64)

    assert 0.75 == pytest.approx(found.value)
    assert 0.5 == pytest.approx(found.worst)
    assert 1 == found.worst_sample


def test_cosine_of_zero_vectors_is_defined():
    """Two zero vectors are alike (1); a zero vector has no direction in common with another (0)."""
    both = measured("cosine", [[0, 0]], [[0, 0]])
    one = measured("cosine", [[0, 0]], [[0, 1]])

    assert 1.0 == both.value
    assert 0.0 == one.value


def test_cosine_of_opposites_is_minus_one():
    """A flipped sign is the worst there is."""
    assert -1.0 == measured("cosine", [[1, 2, 3]], [[-1, -2, -3]]).value


def test_cosine_never_exceeds_one():
    """A sixfold output is parallel, though rounding makes the quotient 1.0000000000000002."""
    sixfold = np.array([[0.0, 0.1, 0.7]]) * 6

    assert 1.0 == measured("cosine", [[0.0, 0.1, 0.7]], sixfold, dtype=np.float64).value


def test_sqnr_takes_the_reference_as_the_signal():
    """Σr² = 100 and Σ(r - c)² = 1 are 20 dB, over all samples together."""
    found = measured("sqnr_db", [[6, 8], [0, 0]], [[6, 7], [0, 0]])

    assert 20.0 == pytest.approx(found.value)
    assert "dB" == found.unit


def test_sqnr_names_the_sample_with_the_lowest_ratio():
    """100 / 1 and 100 / 100 are 20 dB and 0 dB; 200 / 101 over both."""
    found = measured("sqnr_db", [[10, 0], [10, 0]], [[9, 0], [0, 0]])

    assert 10 * np.log10(200 / 101) == pytest.approx(found.value)
    assert 0.0 == pytest.approx(found.worst)
    assert 1 == found.worst_sample


@pytest.mark.parametrize(
    ("doubt", "noisy", "count"),
    [
        ("sample 3 decides it: without that one it is 40.00 dB", 3, 8),
        ("", 3, 7),  # of a few, each may
        ("", None, 8),
    ],
)
def test_a_sample_that_decides_the_signal_over_noise_is_told(doubt, noisy, count):
    """8 of 100 / 0.01 are 40 dB; one of 100 / 10 among them makes 800 / 10.07, 19 dB."""
    noise = [[3.1622776 if place == noisy else 0.1, 0] for place in range(count)]
    reference = [[10.0, 0.0]] * count
    found = measured("sqnr_db", reference, np.add(reference, noise), dtype=np.float64)

    assert doubt == found.doubt


@pytest.mark.parametrize(("told", "noise"), [(True, 0.708), (False, 0.707)])
def test_noise_of_half_the_signal_is_told(told, noise):
    """From 3 dB down."""
    assert told == ("little of this output" in measured("sqnr_db", [[1]], [[1 + noise]]).doubt)


def test_sqnr_of_equal_outputs_is_identical_rather_than_infinite():
    """JSON has no infinity: the value is absent and the measure says identical."""
    found = measured("sqnr_db", [[1, 2]], [[1, 2]])

    assert (None, True, "identical") == (found.value, found.identical, found.remark)


def test_sqnr_without_a_signal_is_not_identical():
    """An all-zero reference against something is no pass."""
    found = measured("sqnr_db", [[0, 0]], [[0, 1]])

    assert (None, False) == (found.value, found.identical)
    assert "no signal" in found.remark


def test_sqnr_of_a_difference_too_small_to_square_is_not_identical():
    """1e-200 squared is 0 in float64; the outputs still differ."""
    found = measured("sqnr_db", [[1, 0]], [[1, 1e-200]], dtype=np.float64)

    assert (None, False) == (found.value, found.identical)


def test_max_abs_is_the_largest_difference_and_says_where():
    """|3 - 1| in the second sample."""
    found = measured("max_abs", [[0, 1], [3, 0]], [[0.5, 1], [1, 0]])

    assert (2.0, 1) == (found.value, found.worst_sample)


def test_max_abs_of_unsigned_integers_does_not_wrap():
    """1 - 2 in uint8 would be 255."""
    assert 1.0 == measured("max_abs", [[1]], [[2]], dtype=np.uint8).value


def test_top1_agreement_is_the_share_of_samples_that_choose_alike():
    """Two of three samples; the one that differs is named."""
    found = measured("top1_agreement", [[1, 2], [1, 2], [2, 1]], [[0, 9], [9, 0], [9, 0]])

    assert 2 / 3 == pytest.approx(found.value)
    assert "first differs in sample 1" == found.remark


def test_top1_agreement_takes_the_first_of_equal_scores():
    """A tie is not chance: the lower index wins on both sides."""
    assert 1.0 == measured("top1_agreement", [[5, 5, 1]], [[7, 2, 7]]).value


def test_top1_agreement_drops_axes_of_one():
    """A classifier that ends in a convolution gives [n, classes, 1, 1]."""
    found = measured("top1_agreement", [[[[1]], [[2]]]], [[[[2]], [[1]]]])

    assert 0.0 == found.value


def test_top1_agreement_of_a_map_counts_its_places():
    """A [places, classes] sample counts each place, and the remark says so."""
    found = measured("top1_agreement", [[[1, 0], [1, 0]]], [[[1, 0], [0, 1]]])

    assert 0.5 == found.value
    assert "at 2 places of each sample" in found.remark


def test_an_integer_output_is_a_choice_already():
    """Class numbers agree where they are equal; cosine and SQNR say nothing about them."""
    agreement = measured("top1_agreement", [3, 4, 5], [3, 4, 6], dtype=np.int64)

    assert 2 / 3 == pytest.approx(agreement.value)
    assert not measured("cosine", [3, 4], [3, 4], dtype=np.int64).applies
    assert not measured("sqnr_db", [3, 4], [3, 4], dtype=np.int64).applies
    assert 0.5 == measured("top1", [3, 4], [3, 5], labels=[3, 4], dtype=np.int64).value


def test_top1_has_a_value_for_both_sides():
    """FP32 is right three times of four, the candidate twice."""
    reference = [[9, 1], [9, 1], [1, 9], [9, 1]]
    candidate = [[9, 1], [1, 9], [1, 9], [9, 1]]
    found = measured("top1", reference, candidate, labels=[0, 0, 1, 1])

    assert (0.75, 0.5) == (found.reference, found.value)
    assert "share" == found.unit


def test_top5_counts_a_label_among_the_five_highest():
    """Rank 5 of 6 is in, rank 6 is out."""
    scores = [[6, 5, 4, 3, 2, 1]] * 2
    found = measured("top5", scores, scores, labels=[4, 5])

    assert (0.5, 0.5) == (found.reference, found.value)


def test_top5_ranks_equal_scores_by_their_index():
    """Of six equal scores the first five are the top five, always."""
    found = measured("top5", [[1] * 6] * 6, [[1] * 6] * 6, labels=range(6))

    assert 5 / 6 == pytest.approx(found.value)


@pytest.mark.parametrize(
    ("reason", "metric", "shape", "labels"),
    [
        ("no classes as labels", "top1", (2, 3), None),
        ("labels go from 0 to 3, but there are 3 scores", "top1", (2, 3), [0, 3]),
        ("labels go from -1 to 0", "top1", (2, 3), [-1, 0]),
        ("not one score for each class", "top1", (2, 3, 4), [0, 1]),
        ("with 5 classes, top 5 is always right", "top5", (2, 5), [0, 1]),
        ("a single number is no choice", "top1_agreement", (2, 1), None),
        ("a single number is no choice", "top1_agreement", (2,), None),
        ("the output is empty", "cosine", (2, 0), None),
        ("the output is empty", "top1_agreement", (2, 0), None),
    ],
)
def test_a_metric_that_says_nothing_about_an_output_says_why(reason, metric, shape, labels):
    """It has no value and does not apply, so that a gate over all outputs passes it by."""
    zeros = np.zeros(shape)
    found = measured(metric, zeros, zeros, labels=labels)

    assert (None, False) == (found.value, found.applies)
    assert reason in found.remark


def test_infinite_scores_can_be_ranked():
    """Masked scores of -inf have a place in the order, though no SQNR."""
    scores = [[1, -np.inf], [2, -np.inf]]

    assert 1.0 == measured("top1", scores, scores, labels=[0, 0]).value
    assert measured("sqnr_db", scores, scores).value is None


def test_values_too_large_to_square_are_said():
    """1e200 squared is no float64."""
    found = measured("cosine", [[1e200]], [[1e200]], dtype=np.float64)

    assert "too large to square in 1 of 1 samples, first in sample 0" in found.remark


finite = st.floats(-1e6, 1e6, width=32)


@given(arrays(np.float32, (3, 4), elements=finite))
def test_an_output_compared_with_itself_is_perfect(output):
    """Equal outputs have cosine exactly 1, no difference, full agreement, and are identical."""
    cosine, sqnr, difference, agreement = measure_output(
        "y", output, output, metrics=["cosine", "sqnr_db", "max_abs", "top1_agreement"]
    )

    assert (1.0, 0.0, 1.0) == (cosine.value, difference.value, agreement.value)
    assert sqnr.identical
