"""classification, on scores that can be ranked by eye."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.helpers.measuring import begun, folded, metric_of
from trtbuild.core.errors import StepInputError

RIGHT = [np.array(row, np.float32) for row in ([9, 1, 0], [1, 9, 0], [0, 9, 1])]
WORSE = [np.array(row, np.float32) for row in ([9, 1, 0], [9, 1, 0], [9, 5, 1])]
LABELS = [0, 1, 2]


def made(**options):
    return begun(
        metric_of(kind="classification", **options), {"y": RIGHT}, {"y": WORSE}, labels=LABELS
    )


def test_top_k_is_of_both_sides():
    """Labels 0, 1, 2 rank 1, 1, 2 in one model, and 1, 2, 3 in the other."""
    found = folded(made(top=[1, 2]), [0, 1, 2])

    assert pytest.approx((2 / 3, 1 / 3)) == found["top1"]
    assert pytest.approx((1.0, 2 / 3)) == found["top2"]


def test_balanced_accuracy_is_the_mean_recall():
    """Class 0 twice right, class 2 once wrong: recall 1 and 0."""
    assert (0.5, 0.5) == folded(made(), [0, 0, 2])["balanced_accuracy"]


def test_many_classes_take_no_longer_than_few():
    """A hundred resamples of ImageNet's classes: moments, where a pass a class took a minute."""
    scores = [*np.tile(np.eye(1000, dtype=np.float32), (5, 1))]
    labels = [n % 1000 for n in range(5000)]
    kind = metric_of(kind="classification")
    measured = begun(kind, {"y": scores}, {"y": scores}, labels=labels)
    draws = np.random.default_rng(0).integers(0, 5000, (100, 5000))
    before = time.process_time()
    mine, _ = measured.fold_draws(draws)["balanced_accuracy"]

    assert time.process_time() - before < 5
    assert (mine == 1).all()


def test_draws_fold_as_samples_do():
    """Many resamples at once come to what each comes to alone."""
    draws = np.array([[0, 1, 2], [0, 0, 1], [2, 2, 2]])
    measured = made(top=[1, 2])
    found = measured.fold_draws(draws)
    alone = [folded(measured, draw) for draw in draws]

    for name, (mine, other) in found.items():
        assert [each[name] for each in alone] == list(zip(other, mine, strict=True))


@pytest.mark.parametrize(
    ("sides", "labels", "told"),
    [
        ({"y": RIGHT}, None, "needs labels"),
        ({"y": RIGHT}, [0, 1, 3], "labels go from 0 to 3, but `y` holds 3 scores"),
        ({"y": RIGHT, "z": RIGHT}, LABELS, "which of 2 outputs is meant"),
        ({"y": [np.zeros((2, 3))] * 3}, LABELS, "a sample of `y` is [2, 3], not one score"),
    ],
)
def test_what_it_cannot_measure_is_refused(sides, labels, told):
    """What is wrong, and what to write."""
    with pytest.raises(StepInputError) as caught:
        begun(metric_of(kind="classification"), sides, sides, labels=labels)

    assert told in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("doubt", "labels", "answer"),
    [
        ("every label is class 1: a model that always says so is right", [1] * 8, None),
        (
            "the reference answers class 2 in every sample: to agree with it",
            [0, 1],
            2,
        ),
        ("", [0, 1], None),
    ],
)
def test_answers_and_labels_of_one_class_are_told(doubt, labels, answer):
    """A share of such samples is no proof of anything."""
    rows = [np.eye(3)[place % 3 if answer is None else answer] for place in range(8)]
    made = begun(
        metric_of(kind="classification", top=[1]), {"y": rows}, {"y": rows}, labels=(labels * 8)[:8]
    )

    found = made.fold(np.arange(8))
    assert {"top1", "balanced_accuracy"} == found.keys()
    assert all(bool(doubt) == bool(v.remark) and doubt in v.remark for v in found.values())


def test_as_many_as_there_are_classes_are_always_right():
    """Which is no figure: the label is among all scores."""
    found = made(top=[2, 3]).fold(np.arange(3))

    assert (None, False) == (found["top3"].value, found["top3"].applies)
    assert "with 3 classes, top 3 is always right" == found["top3"].remark
    assert found["top2"].applies
