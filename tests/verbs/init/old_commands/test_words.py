"""Shapes and sizes as the tools write them."""

from __future__ import annotations

import pytest

from trtbuild.verbs.init.old_commands.words import (
    parse_bytes,
    parse_shape,
    split_outside_quotes,
)


@pytest.mark.parametrize(
    ("text", "shape"),
    [("1x3x8x8", (1, 3, 8, 8)), ("[1,3, 8]", (1, 3, 8)), ("5", (5,)), ("[]", ()), ("", ())],
)
def test_shapes_are_written_in_several_ways(text, shape):
    """An empty one is a scalar's."""
    assert shape == parse_shape(text)


@pytest.mark.parametrize("text", ["1xax3", "1x-2", "x", "1 3"])
def test_other_words_are_no_shapes(text):
    """Nor are sizes below nothing."""
    with pytest.raises(ValueError, match=r".*"):
        parse_shape(text)


def test_sizes_have_units():
    """Of their own, or the tool's."""
    assert (2**31, 2**30, 512, 2**20 * 3 // 2) == (
        parse_bytes("2048"), parse_bytes("1G"), parse_bytes("512B"), parse_bytes("1.5"),
    )  # fmt: skip


def test_a_name_in_quotes_may_hold_what_divides():
    """trtexec's own way to name such inputs."""
    assert ["'a,b':1x2", "c:[1,2]"] == list(split_outside_quotes("'a,b':1x2,c:[1,2]"))
