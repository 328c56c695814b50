"""An array that nobody has computed yet is computed where it is taken for one."""

from __future__ import annotations

import numpy as np

from tests.model.test_gpu_room import Negated
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import Feeder
from trtbuild.model.unfinished import Unfinished

PIXELS = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)


class Sample:
    name = "a.png"
    arrays = {"x": Unfinished(PIXELS, (2, 2, 3), "float32", Negated())}  # one


def feed(*shape, dtype="float32", count=1):
    spec = TensorSpec(name="x", dtype=dtype, shape=shape)
    (found,) = Feeder([spec]).feeds([Sample()] * count)
    return found


def test_it_has_the_shape_and_type_that_it_comes_to_have():
    """Before anything is computed, and with a batch axis too."""
    made = Sample.arrays["x"].stack()

    assert ((1, 2, 2, 3), 4, 48) == (made.shape, made.ndim, made.nbytes)
    assert (-PIXELS[None].astype(np.float32)).tolist() == np.asarray(made).tolist()
    assert np.asarray(made, np.float16).dtype == np.float16


def test_it_is_left_where_a_run_takes_one_sample_of_its_type():
    """And computed where several are stacked, or it must be converted."""
    assert isinstance(feed("N", 2, 2, 3).arrays["x"], Unfinished)
    assert isinstance(feed(2, 2, 2, 3, count=2).arrays["x"], np.ndarray)
    assert feed("N", 2, 2, 3, dtype="float16").arrays["x"].dtype == np.float16
    whole = feed("N", 2, 2, 3).finish()

    assert isinstance(whole["x"], np.ndarray)
    assert (1, 2, 2, 3) == whole["x"].shape
