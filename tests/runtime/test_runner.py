"""Arrays are held against inputs."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.runtime.runner import InputCheck

SPEC = TensorSpec(name="x", dtype="float32", shape=("n", 2))


class Unlent:
    """Lends nothing, as a tensor of torch that has to remember what becomes of it."""

    def __dlpack__(self, **_):
        raise BufferError("needs a gradient")

    def __dlpack_device__(self):
        return (1, 0)


class Nowhere(Unlent):
    """Lies nowhere, as a tensor of torch that has a shape alone."""

    def __dlpack_device__(self):
        raise ValueError("is on no device")


def test_what_fits_is_taken_as_it_lies():
    """Without a copy."""
    array = np.zeros((3, 2), np.float32)

    assert InputCheck([SPEC]).read({"x": array})["x"] is array


@pytest.mark.parametrize(
    ("feed", "told"),
    [
        ({}, "no array for `x`"),
        ({"x": np.zeros((1, 2), "f"), "z": 1}, "no input is called `z`"),
        ({"x": np.zeros((1, 2))}, "`x` is float64, and float32 is taken"),
        ({"x": np.zeros((1, 3), "f")}, r"`x` is \[1, 3\], and \[n, 2\] is taken"),
        ({"x": np.zeros((1, 2), "f"), 1: 1, "z": 1}, "no input is called `1`, `z`"),
        (np.zeros((1, 2), "f"), "by their inputs' names, and not as ndarray"),
        ({"x": [[1, 2], [3]]}, "`x` cannot be read as an array: list: .*inhomogeneous"),
        ({"x": Unlent()}, "`x` cannot be read by DLPack: Unlent: needs a gradient"),
        ({"x": Nowhere()}, "`x` cannot be read by DLPack: Nowhere: is on no device"),
        ({"x": np.zeros(2, "f")}, r"`x` is \[2\], and \[n, 2\] is taken"),
    ],
)
def test_arrays_that_do_not_fit_are_told(feed, told):
    """Before anything runs them."""
    with pytest.raises(UsageError, match=told):
        InputCheck([SPEC]).read(feed)
