"""At which shapes to time."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.verbs.benching.shapes import choose_shapes

OPEN = TensorSpec(name="x", dtype="float32", shape=("n", 3, "h"))
MASK = TensorSpec(name="m", dtype="bool", shape=(7,))
PROFILE = {"x": ((1, 3, 8), (2, 3, 16), (4, 3, 16))}


def chosen(inputs=(OPEN, MASK), profiles=(PROFILE,), *, batches=(), shapes=()):
    return choose_shapes(inputs, profiles, batches=batches, shapes=shapes)


def test_profiles_say_it_where_nobody_else_does():
    """Min, opt and max of each, what is the same once."""
    flat = {"x": ((1, 3, 8), (1, 3, 8), (4, 3, 8))}

    assert ({"x": (1, 3, 8)}, {"x": (2, 3, 16)}, {"x": (4, 3, 16)}) == chosen()
    assert ({"x": (1, 3, 8)}, {"x": (4, 3, 8)}) == chosen(profiles=(flat,))


def test_a_batch_takes_the_rest_from_opt():
    """What has no open axis 0 stays."""
    assert ({"x": (1, 3, 16)}, {"x": (8, 3, 16)}) == chosen(batches=(8, 1))
    assert ({"x": (9, 3, 9)},) == chosen(shapes=({"x": (9, 3, 9)},))


def test_without_profiles_the_model_says_it():
    """As far as it can."""
    rows = TensorSpec(name="x", dtype="float32", shape=("n", 3))

    assert ({},) == chosen((MASK,), ())
    assert ({"x": (1, 3)},) == chosen((rows,), ())
    with pytest.raises(UsageError, match="more open sizes than the batch"):
        chosen(profiles=(), batches=(1,))
    with pytest.raises(UsageError, match="no input has an open axis 0"):
        chosen((MASK,), (), batches=(1,))
