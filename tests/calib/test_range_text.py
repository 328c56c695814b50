"""`name: limit` lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.calib.range_text import limits_from_text, text_from_limits
from trtbuild.core.errors import RangeFileError

NVIDIA = b"""gpu_0/data_0: 1.00024
gpu_0/conv1_1: 5.43116
gpu_0/res_conv1_bn:0: 8.69735
"""
names = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1, max_size=20
).filter(str.strip)


def test_nvidias_file_reads():
    """As sampleINT8API ships it; a colon in a name is part of the name."""
    assert {
        "gpu_0/data_0": 1.00024,
        "gpu_0/conv1_1": 5.43116,
        "gpu_0/res_conv1_bn:0": 8.69735,
    } == limits_from_text(NVIDIA)
    assert NVIDIA == text_from_limits(limits_from_text(NVIDIA))


@given(
    st.dictionaries(
        names, st.floats(min_value=0, allow_infinity=False, allow_nan=False), min_size=1, max_size=8
    )
)
def test_every_limit_reads_back_as_it_was(limits):
    """To the last bit."""
    assert limits == limits_from_text(text_from_limits(limits))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\n", "holds no ranges"),
        (b"a: nan\n", "`nan` is not a decimal number"),
        (b"a: inf\n", "`inf` is not a decimal number"),
        (b"a: 1_0\n", "`1_0` is not a decimal number"),
        (b"a: -1.5\n", "-1.5 is no limit"),
        (b"a: 1e999\n", "1e999 is no limit"),
        (b"a 1.5\n", "line 1 is not of the form"),
        (b"a: 1\na: 1\n", "line 2: `a` stands in line 1 already"),
        (b"\xff", "is not text"),
    ],
)
def test_what_is_no_limit_is_refused(data, message):
    """With the file and the line."""
    with pytest.raises(RangeFileError) as caught:
        limits_from_text(data, file="limits.txt")

    assert message in caught.value.message
    assert caught.value.message.startswith("limits.txt: ")


def test_a_cache_without_its_header_is_known():
    """Its lines look alike."""
    with pytest.raises(RangeFileError) as caught:
        limits_from_text(b"input: 3caa54fc\n")

    assert "calibration cache without line 1" in caught.value.hint
