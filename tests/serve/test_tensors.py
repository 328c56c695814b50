"""Numbers in JSON and bytes become arrays of the type that is said, or a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.serve.problem import HttpProblem
from trtbuild.serve.tensors import read_bytes, read_numbers, read_shape, write_numbers


@pytest.mark.parametrize(
    ("data", "datatype", "wanted"),
    [
        ([1, 2], "FP32", np.float32([1, 2])),
        ([255, 0], "UINT8", np.uint8([255, 0])),
        ([True, False], "BOOL", np.array([True, False])),
        ([1, 0], "BOOL", np.array([True, False])),
        ([0.5, 1], "FP16", np.float16([0.5, 1])),
        ([2**63, 0], "UINT64", np.uint64([2**63, 0])),
        ([[1], [2]], "INT64", np.int64([1, 2])),
        ([-128, 127], "INT8", np.int8([-128, 127])),
        ([-(2**63), 2**63 - 1], "INT64", np.int64([-(2**63), 2**63 - 1])),
    ],
)
def test_numbers_that_a_type_holds_are_taken(data, datatype, wanted):
    """Exactly, flat or nested."""
    found = read_numbers(data, (2,), datatype, "x")

    assert wanted.dtype == found.dtype
    np.testing.assert_array_equal(wanted, found)


@pytest.mark.parametrize(
    ("data", "datatype"),
    [
        ([256, 0], "UINT8"),
        ([-1, 0], "UINT8"),
        ([128, 0], "INT8"),
        ([0, -32769], "INT16"),
        ([2**31, 0], "INT32"),
        ([2**63, 0], "INT64"),
        ([0.5, 0], "INT32"),
        ([2, 0], "BOOL"),
        ([1e6, 0], "FP16"),
        (["1", "2"], "INT32"),
        ([[1], [2, 3]], "FP32"),
        ([None, 1], "FP32"),
        ([10**400, 1], "FP32"),
    ],
)
def test_numbers_that_it_does_not_hold_are_told(data, datatype):
    """Nothing is rounded away or wrapped round in silence."""
    with pytest.raises(HttpProblem, match=rf"`data` of input `x` are no numbers of {datatype}"):
        read_numbers(data, (2,), datatype, "x")


def test_bytes_are_little_endian_and_as_many_as_the_shape_takes():
    """In C order."""
    found = read_bytes(b"\x01\x00\x02\x00", (2, 1), "INT16", "x")

    np.testing.assert_array_equal([[1], [2]], found)
    with pytest.raises(HttpProblem, match=r"has 3 bytes, and INT16 \[2, 1\] takes 4"):
        read_bytes(b"\0" * 3, (2, 1), "INT16", "x")


def test_bytes_of_bool_are_0_or_1():
    """Others would be neither true nor false to who computes with them."""
    np.testing.assert_array_equal([True, False], read_bytes(b"\1\0", (2,), "BOOL", "x"))
    with pytest.raises(HttpProblem, match="neither 0 nor 1"):
        read_bytes(b"\0\2\0", (3,), "BOOL", "x")


@pytest.mark.parametrize("told", [None, 3, [1.0], [True], [-1], [1 << 50], [1] * 40, "1"])
def test_what_is_no_shape_is_told(told):
    """Sizes are whole numbers from 0 on."""
    with pytest.raises(HttpProblem, match="is no list of sizes"):
        read_shape(told, "x")


def test_what_json_lacks_is_told():
    """NaN and infinity; all else is a list of numbers."""
    assert [1.0, 2.0] == write_numbers(np.float32([[1], [2]]), "y")
    with pytest.raises(HttpProblem, match="ask for binary data"):
        write_numbers(np.float32([np.inf]), "y")
