"""What a repair is called, and what none can be made of."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.quant.adopting.repairs import (
    Repair,
    demand_int8,
    demand_same,
    describe_repairs,
    is_positive,
)
from trtbuild.quant.quantized_graph import LinearNode


def linear(name="q", scale=0.5, zero=0, dtype="int8"):
    one = np.array(scale, np.float32)
    return LinearNode(index=0, name=name, scale=one, zero=np.array(zero), dtype=dtype, axis=1)


def test_repairs_of_one_kind_take_one_line():
    """With the first of the names and the reason; kinds are sorted."""
    found = [Repair("scalar_scale", "b"), Repair("fold_bias", "c"), Repair("scalar_scale", "a")]

    bias, scale = describe_repairs(found)

    assert bias.startswith("fold_bias: `c`: ")
    assert scale.startswith("scalar_scale: `b`, `a`: TensorRT-RTX computes in float")


@pytest.mark.parametrize(
    ("expected", "scale"),
    [
        (True, [0.5, 1e-30]),
        (False, [0.5, 0.0]),
        (False, [-0.5]),
        (False, [1e-40]),
        (False, [float("inf")]),
        (False, [float("nan")]),
    ],
)
def test_a_scale_is_above_zero_and_a_normal_number(expected, scale):
    """All of them; a denormal is a scale for nobody."""
    assert expected == is_positive(np.array(scale, np.float32))


def test_ends_of_a_pair_must_say_the_same():
    """NaN is equal to itself here: it is refused for what it is."""
    demand_same(linear(), linear("dq"))
    demand_same(linear(scale=np.nan), linear("dq", scale=np.nan))

    for other in (linear("dq", scale=0.25), linear("dq", zero=1), linear("dq", dtype="uint8")):
        with pytest.raises(StepInputError, match=r"`q` has scale 0\.5 .* but `dq` has scale"):
            demand_same(linear(), other)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int4", "unknown"])
def test_other_integers_are_refused(dtype):
    """uint8 can become int8; these cannot."""
    demand_int8(linear(dtype="uint8"))

    with pytest.raises(StepInputError, match=f"`q` quantizes to {dtype}"):
        demand_int8(linear(dtype=dtype))
