"""A label is one whole number from 0, or an array."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.data.labels import read_label


@pytest.mark.parametrize("value", [7, np.int32(7), np.array(7), np.array([7], np.uint8), [7]])
def test_one_whole_number_is_a_class(value):
    """It may come as a number or as an array that holds one."""
    assert (7, None) == read_label(value, "s")


@pytest.mark.parametrize("value", [7.5, [1, 2], np.zeros((0, 5), np.float32), [[True]]])
def test_other_numbers_are_an_array(value):
    """Of their own dtype; a copy, since the callable may fill the same one again."""
    label, truth = read_label(value, "s")

    assert label is None
    assert (np.asarray(value).dtype, np.asarray(value).tolist()) == (truth.dtype, truth.tolist())
    assert not np.shares_memory(value, truth)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("cat", "s: its label is <U3 of shape []; numbers are needed"),
        ([1.0, np.nan], "s: its label holds NaN or infinity"),
        (-1, "s: its label is -1"),
    ],
)
def test_anything_else_is_none(value, message):
    """The message says what it is instead."""
    with pytest.raises(StepInputError) as caught:
        read_label(value, "s")

    assert message == caught.value.message
