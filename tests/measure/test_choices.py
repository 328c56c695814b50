"""Choices that cannot mean what their number seems to say."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.measure.outputs import measure_output

SAME = np.tile(np.array([[0.1, 0.9, 0.2]], np.float32), (9, 1))
MIXED = np.eye(3, dtype=np.float32)[[0, 1, 2] * 3]


def doubt(metric, reference, labels=(0, 1, 2) * 3):
    (found,) = measure_output(
        "y", reference, reference, metrics=[metric], labels=np.array(labels, np.int64)
    )
    return found.doubt


@pytest.mark.parametrize("metric", ["top1_agreement", "top1"])
def test_a_reference_that_always_answers_alike_proves_little(metric):
    """Any model that says the same agrees with it."""
    assert "the reference answers class 1 in every sample" in doubt(metric, SAME)
    assert "" == doubt(metric, MIXED)
    assert "" == doubt(metric, SAME[:3], (0, 1, 2))


def test_labels_of_one_class_prove_little():
    """A model that always says so would be right."""
    assert "every label is class 2" in doubt("top1", MIXED, (2,) * 9)


def test_integer_outputs_are_choices_already():
    """The classes themselves are looked at."""
    (found,) = measure_output(
        "y", np.full((9, 1), 7), np.full((9, 1), 7), metrics=["top1_agreement"]
    )

    assert "class 7" in found.doubt
