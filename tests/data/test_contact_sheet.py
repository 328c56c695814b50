"""Samples become pictures to look at."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trtbuild.data.contact_sheet import CELL, draw_sample, find_look, write_sheet
from trtbuild.data.preprocess import Preprocess

HOW = Preprocess(mean=(0.5,), std=(0.25,))
PIXELS = np.arange(3 * 8 * 8, dtype=np.uint8).reshape(8, 8, 3)


@pytest.mark.parametrize(
    ("shape", "dtype", "look"),
    [
        ((3, 8, 8), "float32", "picture"),
        ((1, 1, 8, 8), "float32", "picture"),
        ((8, 8, 3), "uint8", "picture"),
        ((8, 40), "float32", "map"),
        ((1, 80, 300), "float32", "picture"),
        ((16000,), "float32", "wave"),
        ((1, 16000), "float32", "wave"),
        ((16,), "int64", "numbers"),
        ((5, 6, 7), "float32", "numbers"),
        ((3, 1, 1), "float32", "numbers"),
        ((0, 3), "float32", "numbers"),
    ],
)
def test_what_an_array_can_be_shown_as(shape, dtype, look):
    """By its shape; identifiers and masks are numbers."""
    assert look == find_look(np.zeros(shape, dtype), None)


def test_a_picture_is_undone_where_it_is_known_how_it_was_made():
    """Bit for bit what the source's preprocessing was given; a batch axis of 1 is none."""
    made = HOW.apply(PIXELS, "x")

    np.testing.assert_array_equal(PIXELS, draw_sample(made, HOW))
    np.testing.assert_array_equal(PIXELS, draw_sample(made[None], HOW))


def test_other_arrays_are_shown_from_low_to_high():
    """Channels first or last; one channel, or a map, is grey."""
    array = np.array([[-1.0, 0.0], [1.0, 3.0]])
    grey = np.repeat([[[0], [64]], [[128], [255]]], 3, axis=-1)

    np.testing.assert_array_equal(grey, draw_sample(array[None], None))
    np.testing.assert_array_equal(grey, draw_sample(array[..., None], None))
    assert (8, 8, 3) == draw_sample(np.moveaxis(PIXELS, -1, 0), None).shape


def test_a_curve_reaches_from_edge_to_edge():
    """Of a line that rises from -1 to 1, the lowest point is left and the highest right."""
    drawn = draw_sample(np.linspace(-1, 1, 448, dtype=np.float32), None)
    marked = (drawn != 255).any(axis=-1)

    assert CELL == drawn.shape[1] == marked.any(axis=0).sum()
    assert (len(drawn) - 1, 0) == (marked[:, 0].argmax(), marked[:, -1].argmax())


def test_a_sheet_has_four_in_a_row(tmp_path):
    """Each fills its cell as far as its proportions allow; names may hold any letters."""
    write_sheet(tmp_path / "sheet.png", [("日本\n" * 20, PIXELS)] * 5)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert (4 * (CELL + 8) + 8, 2 * (CELL + 24) + 8) == sheet.size
        assert tuple(PIXELS[0, 0]) == sheet.getpixel((8, 8))
