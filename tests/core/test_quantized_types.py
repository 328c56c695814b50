"""The quantized types: what each rounds to, held to ml_dtypes and NumPy."""

from typing import get_args

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trtbuild.core.quantized_types import FP8, INT8, TYPES, QuantizedName, join_words

FINITE = st.floats(-1e6, 1e6, width=32)


def test_every_type_has_its_name_in_a_recipe():
    """What a recipe may name and what is known are the same."""
    assert set(get_args(QuantizedName)) == set(TYPES)
    assert all(name == each.name for name, each in TYPES.items())


def round_to(dtype, values):
    return np.clip(values, -448, 448).astype(dtype).astype(np.float32)


@given(arrays(np.float32, 16, elements=FINITE))
def test_fp8_is_rounded_as_ml_dtypes_rounds_it_bit_by_bit(values):
    """To the nearest, ties to even; beyond 448 it is 448, and never NaN."""
    found = FP8.encode(values.copy())

    wanted = np.clip(values, -448, 448).astype(ml_dtypes.float8_e4m3fn)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(wanted.view(np.uint8), found.view(np.uint8))


@given(arrays(np.float32, 16, elements=FINITE))
def test_int8_is_rounded_as_numpy_rounds_it(values):
    """To the nearest, ties to even, from -127 to 127."""
    wanted = np.clip(np.rint(values), -127, 127).astype(np.int8)

    np.testing.assert_array_equal(wanted, INT8.encode(values.copy()))


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (448, 464),
        (448, 1e9),
        (-448, -1e9),
        (1.0, 1.0625),
        (1.25, 1.1875),
        (2**-9, 2**-9),
        (0, 2**-10),
    ],
)
def test_fp8_saturates_and_rounds_ties_to_even(expected, value):
    """1.0625 lies halfway between 1 and 1.125; 2^-10 between 0 and the least number."""
    assert expected == FP8.round(np.array([value], np.float32))[0]


@pytest.mark.parametrize(
    ("expected", "into", "steps"),
    [(1, INT8, 0.3), (1, INT8, 100), (0.125, FP8, 1), (0.125, FP8, 1.9), (32, FP8, 448),
     (2**-9, FP8, 2**-9), (2**-9, FP8, 2**-7), (2**-8, FP8, 2**-5), (2**-9, FP8, 0)],
)  # fmt: skip
def test_numbers_lie_so_far_apart(expected, into, steps):
    """Of INT8 a step everywhere; of FP8 an eighth of the power of two below, but 2^-9 at least."""
    assert expected == into.spacing(steps)


@pytest.mark.parametrize(
    ("expected", "capability"), [(False, "8.6"), (True, "8.9"), (True, "9.0"), (True, "12.0")]
)
def test_fp8_is_multiplied_from_ada_on(expected, capability):
    """Compute capabilities are compared as numbers, not as text: 12.0 is later than 8.9."""
    assert expected == FP8.runs_on(capability)


def test_types_are_named_once_and_int8_where_none_is():
    """As reports have them."""
    assert "INT8 and FP8" == join_words(["int8", "fp32", "fp8", "int8"])
    assert "INT8" == join_words(["fp32"])
