"""A label is one whole number from 0."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.data.labels import read_label


@pytest.mark.parametrize("value", [7, np.int32(7), np.array(7), np.array([7], np.uint8), [7]])
def test_one_whole_number_is_a_label(value):
    """It may come as a number or as an array that holds one."""
    assert 7 == read_label(value, "s")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7.0, "s: its label is float64 of shape []; one whole number is needed"),
        ([1, 2], "s: its label is int64 of shape [2]; one whole number is needed"),
        (True, "s: its label is bool of shape []; one whole number is needed"),
        (-1, "s: its label is -1"),
    ],
)
def test_anything_else_is_not(value, message):
    """The message says what it is instead."""
    with pytest.raises(StepInputError) as caught:
        read_label(value, "s")

    assert message == caught.value.message
