"""Text of nodes that prepare pictures."""

from __future__ import annotations

import pytest

from trtbuild.fixes.pictures import write_numbers, write_resized, write_window
from trtbuild.fixes.taps import Resampling

PILLOW = Resampling("bilinear", "pillow", antialias=True)


def test_what_is_not_asked_for_is_not_written():
    """A picture of the size that the model takes is neither resized nor cut."""
    assert ("", "x") == write_resized("x", (4, 4), (4, 4), PILLOW)
    assert ("", "x") == write_window("x", (4, 4), (0, 0), (4, 4), 0)


def test_one_axis_is_resized_where_the_other_stays():
    """Pillow then rounds once."""
    text, _ = write_resized("x", (4, 6), (4, 3), PILLOW)

    assert (1, 0) == (text.count("Gather<axis = 2>"), text.count("Gather<axis = 1>"))


@pytest.mark.parametrize(("scale", "word"), [(1 / 255, "Div"), (0.7, "Mul"), (2.0, "Mul")])
def test_a_whole_divisor_divides(scale, word):
    """It rounds better, and as where data is read."""
    text, _ = write_numbers("x", bgr=False, scale=scale, mean=(), std=(), channels_first=True)

    assert f"scaled = {word}(" in text
