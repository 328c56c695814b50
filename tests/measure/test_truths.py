"""What is held against what."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.measure.base import Subject
from trtbuild.measure.truths import choose_sides

BOXES = TensorSpec(name="labels", dtype="float32", shape=(3, 5))


def are_boxes(labels):
    return len(labels.shape) == 2


def chosen(against, *, truth=None, classes=None, numbers=False):
    subject = Subject({}, {}, 1, truth=truth, classes=classes)
    return choose_sides(
        against, subject, kind="detection", labels="boxes", fits=are_boxes, numbers=numbers
    )[:2]


def test_both_count_where_there_are_labels():
    """And what the recipe asks for, alone."""
    assert (True, True) == chosen(None, truth=BOXES)
    assert (False, True) == chosen(None)
    assert (True, False) == chosen("labels", truth=BOXES)
    assert (False, True) == chosen("reference", truth=BOXES)


def test_labels_of_another_kind_do_not_count():
    """A mask is no box; asked for, that is told."""
    mask = TensorSpec(name="labels", dtype="int32", shape=(3, 4, 4))

    assert (False, True) == chosen(None, truth=mask)
    with pytest.raises(StepInputError, match=r"labels are int32 \[3, 4, 4\]"):
        chosen("labels", truth=mask)


def test_a_class_is_a_label_where_numbers_are():
    """A class of each sample is no box."""
    assert (False, True) == chosen(None, classes=(1,))
    assert (True, True) == chosen(None, classes=(1,), numbers=True)


def test_labels_that_are_asked_for_must_be_there():
    """Said with what they would be."""
    with pytest.raises(StepInputError) as caught:
        chosen("labels", classes=(1,))

    told = "`kind: detection` is to be held against labels: the data's labels are classes"
    assert told in caught.value.message
    assert "boxes" in caught.value.hint
