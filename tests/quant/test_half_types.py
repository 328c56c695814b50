from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.quant.half_types import HALVES, round_up


@pytest.mark.parametrize("name", HALVES)
def test_bounds_are_those_of_the_type(name):
    """The largest value and the smallest normal one survive, and nothing lies beyond."""
    import onnx

    half = HALVES[name]
    values = np.array([half.largest, half.smallest, 2 * half.largest, -np.inf])
    cast = half.cast(values)

    assert half.onnx_name.upper() == onnx.TensorProto.DataType.Name(half.element)
    assert [half.largest, half.smallest, half.largest, -np.inf] == cast.astype(float).tolist()


@given(st.floats(2.0**-24, 60000, width=32), st.sampled_from(sorted(HALVES)))
def test_a_scale_is_rounded_up_to_what_the_type_holds(value, name):
    """By less than one step, and what the type holds stays as it is."""
    half = HALVES[name]
    (found,) = round_up(np.array([value], np.float32), half)

    assert found >= value
    assert found == float(half.cast(np.array([found]))[0])
    step = 2.0**-7 if name == "bf16" else 2.0**-10
    assert found - value <= max(step * value, 2.0**-24)
    assert [found] == round_up(np.array([found], np.float32), half).tolist()


def test_without_a_type_nothing_is_rounded():
    """Float32 scales are as they were."""
    assert [np.float32(0.1)] == round_up(np.array([0.1], np.float32), None).tolist()
