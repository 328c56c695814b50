"""What warms a model up is what it takes: Triton loads no model whose warm-up fails."""

from __future__ import annotations

import pytest

from trtbuild.core.values import TensorSpec
from trtbuild.verbs.packaging.served_model import ProfileBounds, ServedModel
from trtbuild.verbs.packaging.triton_config import Warmup
from trtbuild.verbs.packaging.warmup import make_warmup

X, Y = (TensorSpec(name=name, dtype="float32", shape=("n", 3)) for name in "xy")
FILES = {"warmup/sample_0": b"bytes"}


def served(low, *, valued=()):
    profile = {"x": ProfileBounds((low, 3), (4, 3), (8, 3))}
    return ServedModel("m", (X,), (Y,), (profile,), frozenset(valued))


@pytest.mark.parametrize(
    ("model", "shape", "warmup"),
    [
        (served(1), (3,), Warmup({"x": (3,)}, {"x": "sample_0"})),
        (served(1), (7,), Warmup({"x": (3,)})),
        (served(2), (3,), Warmup({"x": (4, 3)})),
        (served(1, valued="x"), (3,), Warmup({"x": (1, 3)}, {"x": "sample_0"})),
        (served(1, valued="x"), (7,), None),
    ],
    ids=["taken", "too large", "several at least", "values", "zeros as values"],
)
def test_a_sample_or_zeros_that_a_profile_takes(model, shape, warmup):
    """A sample where a profile takes it, else zeros of the shape tuned for, never as values."""
    found, files = make_warmup(model, {"x": b"bytes"}, {"x": shape})

    assert (warmup, FILES if warmup and warmup.files else {}) == (found, files)
