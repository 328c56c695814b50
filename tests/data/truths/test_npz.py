"""Classes of pictures in an array."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.data.truths.npz import Npz

LABELS = Npz(kind="npz", path="t.npz")


def test_an_array_has_a_class_for_each_picture(tmp_path):
    """In an npz file by its name, or alone in an npy file."""
    np.savez(tmp_path / "t.npz", labels=np.array([1, 0]), x=np.zeros(9))
    np.save(tmp_path / "t.npy", np.array([2, 3], np.uint8))

    assert (1, 0) == LABELS.read_classes(tmp_path, ["a", "b"])
    assert (2, 3) == Npz(kind="npz", path="t.npy").read_classes(tmp_path, ["a", "b"])


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"y": np.array([1, 0])}, "has no array `labels`"),
        ({"labels": np.array([1, 0, 2])}, r"int64 \[3\]; a whole number from 0 for each of 2"),
        ({"labels": np.array([1.0, 0])}, "float64"),
        ({"labels": np.array([-1, 0])}, "a whole number from 0"),
    ],
)
def test_an_array_that_does_not_tell_is_refused(tmp_path, arrays, told):
    """And a file that is not there."""
    with pytest.raises(MissingFile, match=r"t\.npz"):
        LABELS.read_classes(tmp_path, ["a", "b"])
    np.savez(tmp_path / "t.npz", **arrays)

    with pytest.raises(StepInputError, match=told):
        LABELS.read_classes(tmp_path, ["a", "b"])
