"""Which requests are put on models, and at which sizes."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.core.load import Load
from trtbuild.core.values import TensorSpec
from trtbuild.verbs.benching.loads import choose_batches, choose_load

OPEN = (TensorSpec(name="x", dtype="float32", shape=("n", 3, "h")),)
FIXED = (TensorSpec(name="x", dtype="float32", shape=(2, 3)),)
PROFILES = ({"x": ((1, 3, 4), (2, 3, 8), (4, 3, 16))},)


def test_what_is_typed_wins_over_the_recipe():
    """Nothing of either is nothing; a length holds for the protocol and for this."""
    own = Load(rates=(5.0,), max_batch=4)

    assert choose_load(None, {}, 3.0) is None
    assert own == choose_load(own, {}, None)
    assert (Load(rates=(7.0,), max_batch=4, seconds=3.0)) == choose_load(own, {"rates": [7]}, 3.0)


def test_other_axes_are_as_asked_for_or_as_the_profile_has_them():
    """A shape that was typed, else `opt`."""
    load = Load(rates=(5.0,), max_batch=2)
    by_profile = choose_batches(OPEN, PROFILES, (), load)
    by_shape = choose_batches(OPEN, PROFILES, ({"x": (9, 3, 5)},), load)

    assert [(1, (1, 3, 8)), (2, (2, 3, 8))] == [(e.size, e.shapes["x"]) for e in by_profile]
    assert [(1, 3, 5), (2, 3, 5)] == [each.shapes["x"] for each in by_shape]


def test_a_fixed_batch_is_a_request():
    """And none can be put together."""
    (only,) = choose_batches(FIXED, (), (), Load(rates=(5.0,)))

    assert 1 == only.size
    with pytest.raises(UsageError, match="no input has an open axis 0"):
        choose_batches(FIXED, (), (), Load(rates=(5.0,), max_batch=2))
