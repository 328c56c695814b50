"""A contact sheet: what a model sees of some samples, as one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trtbuild.core.escape import escape_controls
from trtbuild.data.preprocess import Preprocess

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["Look", "draw_sample", "find_look", "write_sheet"]

Look = Literal["picture", "map", "wave", "numbers"]
COLUMNS = 4
CELL = 224
"""Pixels of a side that a sample is shrunk or grown to fit into."""
_GAP, _CAPTION = 8, 16
_LEAST_SIDE = 4
"""Pixels: what is smaller is no picture to look at."""
_MOST_LETTERS = 34


def find_look(array: NDArray[Any], how: Preprocess | None) -> Look:
    """Return what an array can be shown as: a picture, a map of values, a curve, or not at all."""
    if array.dtype.kind not in "fu" or not array.size:
        return "numbers"
    shape = array.shape[1:] if array.ndim == 4 and array.shape[0] == 1 else array.shape  # noqa: PLR2004
    large = sorted(shape)[-2:]
    if how is not None or (len(shape) == 3 and (shape[0] in (1, 3) or shape[-1] in (1, 3))):  # noqa: PLR2004
        return "picture" if len(large) > 1 and min(large) >= _LEAST_SIDE else "numbers"
    real = [size for size in shape if size > 1]
    if len(real) == 2 and min(real) >= _LEAST_SIDE:  # noqa: PLR2004
        return "map"
    return "wave" if len(real) == 1 and array.dtype.kind == "f" else "numbers"


def draw_sample(array: NDArray[Any], how: Preprocess | None) -> NDArray[np.uint8]:
    """Return what a sample's array shows, as RGB [height, width, 3].

    Undone to pixels where it is known how they were made; else from the lowest value (black) to
    the highest (white).
    """
    import numpy as np

    if array.ndim == 4:  # noqa: PLR2004  # a batch axis of 1
        array = array[0]
    if how is not None:
        return how.undo(array)
    values = np.nan_to_num(np.asarray(array, np.float64))
    if find_look(array, None) == "wave":
        return _draw_wave(values.reshape(-1))
    if values.ndim == 3 and values.shape[0] in (1, 3):  # noqa: PLR2004
        values = np.moveaxis(values, 0, -1)
    elif values.ndim != 3 or values.shape[-1] not in (1, 3):  # noqa: PLR2004
        values = values.reshape([size for size in values.shape if size > 1] or [1])[..., None]
    low, high = values.min(), values.max()
    grey = (values - low) / ((high - low) or 1) * 255
    return np.broadcast_to(np.rint(grey), (*values.shape[:2], 3)).astype(np.uint8)


def _draw_wave(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a curve: in each column a line from the lowest to the highest value there."""
    import numpy as np

    picture = np.full((CELL // 2, CELL, 3), 255, np.uint8)
    highest = float(np.abs(values).max()) or 1.0
    columns = np.array_split(values, min(CELL, len(values)))
    for column, part in enumerate(columns):
        ends = (1 - np.array([part.max(), part.min()]) / highest) / 2 * (len(picture) - 1)
        top, bottom = np.rint(ends).astype(int)
        x = column * CELL // len(columns)
        picture[top : bottom + 1, x : max(x + 1, (column + 1) * CELL // len(columns))] = 40, 90, 200
    return picture


def write_sheet(path: Path, cells: Sequence[tuple[str, NDArray[np.uint8]]]) -> None:
    """Write pictures side by side as PNG, each with its name beneath."""
    from PIL import Image, ImageDraw

    columns = min(COLUMNS, max(1, len(cells)))
    rows = math.ceil(len(cells) / columns)
    width, height = columns * (CELL + _GAP) + _GAP, rows * (CELL + _CAPTION + _GAP) + _GAP
    sheet = Image.new("RGB", (width, height), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for place, (name, pixels) in enumerate(cells):
        row, column = divmod(place, columns)
        left, top = _GAP + column * (CELL + _GAP), _GAP + row * (CELL + _CAPTION + _GAP)
        picture = _fit(Image.fromarray(pixels))
        inset = (CELL - picture.width) // 2, (CELL - picture.height) // 2
        draw.rectangle((left, top, left + CELL - 1, top + CELL - 1), fill=(232, 232, 236))
        sheet.paste(picture, (left + inset[0], top + inset[1]))
        draw.text((left, top + CELL + 2), _shorten(name), fill=(60, 60, 60))
    sheet.save(path, format="PNG")


def _fit(picture: Image.Image) -> Image.Image:
    from PIL import Image

    factor = CELL / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    # What is grown keeps its pixels, so that they can be counted.
    how = Image.Resampling.NEAREST if factor > 1 else Image.Resampling.BILINEAR
    return picture.resize(size, how)


def _shorten(name: str) -> str:
    """Return a name in letters that the built-in font has, its end kept."""
    text = escape_controls(name).encode("ascii", "replace").decode()
    return text if len(text) <= _MOST_LETTERS else f"...{text[-_MOST_LETTERS + 3 :]}"
