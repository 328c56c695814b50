"""A tensor that no run on this machine could hold."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.model.memory import refuse_vast
from trtbuild.model.shapes import infer_shapes

TEXT = """m (float[1] x) => (float[N] y) <int64 a = {0}, int64 b = {%d}, int64 c = {1}>
{ [r] i = Range(a, b, c)  f = Cast<to = 1>(i)  y = Add(x, f) }"""


def test_a_tensor_larger_than_memory_is_refused():
    """Ten to the thirteen of eight bytes; the node and the sizes are named."""
    model = infer_shapes(model_of(TEXT % 10**13), strict=True)
    with pytest.raises(StepInputError, match=r"`r` \(Range\) makes `i` \[1\d+\]: 74506 GiB"):
        refuse_vast(model)


def test_what_fits_passes():
    """A thousand."""
    refuse_vast(infer_shapes(model_of(TEXT % 1000), strict=True))
