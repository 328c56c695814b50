"""What models are fed."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.data.base import Sample
from trtbuild.model.feeds import Feeder
from trtbuild.timing.inputs import complete_shapes, draw_inputs, find_batch, stack_samples

PICTURE = TensorSpec(name="x", dtype="float32", shape=("n", 3, 4))
TOKENS = TensorSpec(name="ids", dtype="int64", shape=("n", 5))
INPUTS = (PICTURE, TOKENS)


def test_what_is_not_given_is_as_the_model_has_it():
    """And what is given must fit."""
    fixed = TensorSpec(name="m", dtype="bool", shape=(2,))

    assert {"x": (2, 3, 4), "m": (2,)} == complete_shapes((PICTURE, fixed), {"x": (2, 3, 4)})
    for given, said in [
        ({}, "`x` .n, 3, 4. has open sizes"),
        ({"x": (2, 3, 5)}, "does not fit"),
        ({"x": (2, 3)}, "does not fit"),
        ({"y": (1,)}, "`y` is no input"),
    ]:
        with pytest.raises(StepInputError, match=said):
            complete_shapes((PICTURE,), given)


def test_inputs_are_drawn_alike_each_time():
    """Numbers around 0; whole ones of 0 and 1; values as they are said."""
    shapes = {"x": (8, 3, 4), "ids": (8, 5)}
    one, other = (draw_inputs(INPUTS, shapes, seed=1) for _ in range(2))

    assert all(np.array_equal(one[name], other[name]) for name in shapes)
    assert {0, 1} == set(one["ids"].ravel())
    assert 0.3 > abs(one["x"].mean())
    assert [8, 5] == list(draw_inputs(INPUTS, shapes, seed=1, values=["ids"])["ids"])
    with pytest.raises(StepInputError, match="cannot be drawn"):
        draw_inputs([TensorSpec(name="s", dtype="object", shape=(1,))], {"s": (1,)}, seed=0)


def test_the_batch_is_the_axis_that_counts_samples():
    """None where there is none."""
    assert 8 == find_batch(INPUTS, {"x": (8, 3, 4), "ids": (8, 5)})
    assert find_batch([TensorSpec(name="x", dtype="float32", shape=())], {"x": ()}) is None


def test_samples_are_taken_again_until_the_batch_is_full():
    """Of other shapes than those asked for, nothing is made of them."""
    samples = [Sample(str(k), {"x": np.full((3, 4), k, np.float32)}) for k in range(2)]
    feeder = Feeder((PICTURE,), [TensorSpec(name="x", dtype="float32", shape=(3, 4))])
    made = stack_samples(feeder, samples, {"x": (5, 3, 4)})

    assert [0, 1, 0, 1, 0] == [int(each[0, 0]) for each in made["x"]]
    assert stack_samples(feeder, samples, {"x": (5, 3, 8)}) is None
    assert stack_samples(feeder, [], {"x": (5, 3, 4)}) is None
