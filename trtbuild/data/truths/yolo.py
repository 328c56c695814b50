"""yolo: a text file for each picture, a line for each box."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Location, Options
from trtbuild.data.preprocess import View
from trtbuild.data.truths.base import Reader
from trtbuild.data.truths.beside import find_beside, read_beside
from trtbuild.data.truths.boxes import LARGEST_CLASS, Box, place_boxes

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Yolo"]

HINT = "a line is `class cx cy width height`, the four from 0 to 1 of the picture"
_BOX = 5
_MOST_SHOWN = 40
_SLACK = 1e-3
"""What rounding may put a box beyond the picture's edge."""


class Yolo(Options):
    """Boxes in YOLO's text files: `class cx cy width height` a line, from 0 to 1 of the picture."""

    tells_classes: ClassVar[Literal[False]] = False
    without: ClassVar[str] = "have no text file of boxes: taken as without objects"
    facts: ClassVar[tuple[str, ...]] = ("numpy",)

    kind: Literal["yolo"]
    path: Location
    """The folder of `.txt` files, called as the pictures are (`labels/val` beside `images/val`),
    relative to the recipe. A picture without one holds nothing. Of a polygon (`class x y x y ...`)
    the box around it counts."""

    def find_files(self, base: Path, pictures: Sequence[str]) -> dict[str, Path]:
        """Return the text file of each picture that has one.

        Raises:
            MissingFile: there is no such folder, or no picture has one.
        """
        return find_beside(base / self.path, pictures, {".txt"}, what="text file of boxes")

    def open(self, files: Mapping[str, Path]) -> Reader:
        """Return what reads the label of a picture."""
        return partial(self._read, files)

    def _read(self, files: Mapping[str, Path], name: str, view: View) -> np.ndarray:
        """Return the boxes of a picture in what the model takes, as `place_boxes` has them.

        Raises:
            StepInputError: a line is no box.
        """
        if name not in files:
            return place_boxes((), view)
        try:
            text = read_beside(files[name], name).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise StepInputError(f"{files[name]}: is not UTF-8 text", hint=HINT) from None
        return place_boxes(list(_boxes(text, str(files[name]), view)), view)


def _boxes(text: str, file: str, view: View) -> Iterator[Box]:
    width, height = view.original
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        where = f"{file}:{number}"
        kind, values = _read_line(words, where)
        if len(words) == _BOX:
            center_x, center_y, wide, high = values
            left, right = center_x - wide / 2, center_x + wide / 2
            top, bottom = center_y - high / 2, center_y + high / 2
        else:
            left, right = min(values[::2]), max(values[::2])
            top, bottom = min(values[1::2]), max(values[1::2])
        yield kind, left * width, top * height, right * width, bottom * height, False


def _read_line(words: list[str], where: str) -> tuple[int, list[float]]:
    polygon = len(words) > _BOX + 1 and len(words) % 2 == 1
    try:
        kind, values = float(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        raise StepInputError(f"{where}: holds what is no number", hint=HINT) from None
    if not polygon and len(words) != _BOX:
        raise StepInputError(f"{where}: holds {len(words)} numbers", hint=HINT)
    if not kind.is_integer() or not 0 <= kind <= LARGEST_CLASS:
        told = f"{where}: its class is {words[0][:_MOST_SHOWN]}, not a whole number from 0"
        raise StepInputError(told, hint=HINT)
    if not all(math.isfinite(each) and -_SLACK <= each <= 1 + _SLACK for each in values):
        raise StepInputError(f"{where}: holds values beyond 0 to 1: are these pixels?", hint=HINT)
    return int(kind), values
