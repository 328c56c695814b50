"""Outputs become rows, a row a sample; what is odd about them is told."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import Feeder
from trtbuild.steps.kept_outputs import KeptOutputs

FEEDER = Feeder([TensorSpec(name="x", dtype="float32", shape=("N", 2))])
NAN = np.array([[1, 2], [np.nan, 0]], np.float32)


def kept(*shape, reference=False):
    spec = TensorSpec(name="y", dtype="float32", shape=shape)
    return KeptOutputs([spec], FEEDER, reference=reference)


def test_the_axis_that_counts_samples_comes_first():
    """Be it the second of the output; an output without one is one sample's whole."""
    made = np.arange(6).reshape(3, 2)
    ((_, rows),) = kept(3, "N").rows({"y": made}, ["a", "b"])
    ((_, whole),) = kept("k").rows({"y": made}, ["a"])

    assert made.T.tolist() == rows.tolist()
    assert (1, 3, 2) == whole.shape


def test_what_is_not_finite_is_told_of_a_candidate_and_refused_of_a_reference():
    """With the sample's name."""
    found = kept("N", 2)
    assert 1 == len(list(found.rows({"y": NAN}, ["a", "b"])))
    assert ["output `y` holds NaN or infinite values for 1 samples (the first: b)"] == [
        *found.notes()
    ]
    with pytest.raises(StepInputError, match="of the reference is NaN for b"):
        list(kept("N", 2, reference=True).rows({"y": NAN}, ["a", "b"]))
