"""Sizes and shares as a recipe writes them."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from trtbuild.core.options import ByteSize, Share

SIZE = TypeAdapter(ByteSize)
MOST = 2**63 - 1


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (4 << 30, "4GiB"),
        (1_500_000, "1.5 MB"),
        (9007199254740993, "9007199254740993B"),
        (MOST, f"{MOST}B"),
        (2, "0" * 400 + "2B"),
        (0, "0." + "0" * 400 + "1GiB"),
    ],
)
def test_a_size_is_exact(expected, text):
    """Beyond the 53 bits of a float too."""
    assert expected == SIZE.validate_python(text)


@pytest.mark.parametrize("size", ["1" * 309 + "GiB", f"{MOST + 1}B", MOST + 1, "9" * 5000 + "B"])
def test_a_size_beyond_all_memory_is_refused(size):
    """309 digits are infinity as a float, which is no size and was a traceback."""
    with pytest.raises(ValidationError, match="no memory is so large"):
        SIZE.validate_python(size)


def test_a_share_of_hundreds_of_digits_is_a_number():
    """Neither infinity nor an error of another kind."""
    share = TypeAdapter(Share)

    assert 0.01 == share.validate_python("0" * 400 + "1%")
    assert share.validate_python("1" * 400 + "%") < float("inf")
