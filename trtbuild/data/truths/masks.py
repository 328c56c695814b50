"""masks: a picture of classes for each picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Location, Options
from trtbuild.data import pixels
from trtbuild.data.preprocess import View
from trtbuild.data.truths.base import Reader
from trtbuild.data.truths.beside import find_beside, read_beside

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Masks"]

SUFFIXES = (".bmp", ".gif", ".pgm", ".png", ".tif", ".tiff")
"""JPEG rounds, and so makes classes up."""
PADDING = 255
"""What is no class by default where metrics count pixels (`ignore_index`)."""


class Masks(Options):
    """The class of each pixel, as gray values or palette numbers of a picture beside each picture.

    A mask goes through the same `resize` and `crop` as its picture, each pixel from its nearest;
    what a letterbox pads is of class 255, which metrics pass over.
    """

    tells_classes: ClassVar[Literal[False]] = False
    without: ClassVar[str] = ""
    facts: ClassVar[tuple[str, ...]] = ("numpy", "pillow")

    kind: Literal["masks"]
    path: Location
    """The folder of masks (PNG, TIFF, BMP, GIF or PGM), called as the pictures are, relative to the
    recipe. Each picture has one."""

    def find_files(self, base: Path, pictures: Sequence[str]) -> dict[str, Path]:
        """Return the mask of each picture.

        Raises:
            MissingFile: there is no such folder, or no mask in it.
            StepInputError: a picture has none.
        """
        found = find_beside(base / self.path, pictures, SUFFIXES, what="mask")
        missing = next((name for name in pictures if name not in found), None)
        if missing is not None:
            raise StepInputError(
                f"{base / self.path}: holds no mask of {missing}",
                hint="add it, or take the picture out of the data",
            )
        return found

    def open(self, files: Mapping[str, Path]) -> Reader:
        """Return what reads the label of a picture."""
        return partial(self._read, files)

    def _read(self, files: Mapping[str, Path], name: str, view: View) -> np.ndarray:
        """Return the mask of a picture in what the model takes: whole numbers [height, width].

        Raises:
            StepInputError: it is no picture of classes, or of another size.
        """
        import numpy as np
        from PIL import Image

        file = str(files[name])
        mask = pixels.decode_image(read_beside(files[name], name), file)
        if mask.mode not in {"1", "L", "P"} and not mask.mode.startswith("I"):
            raise StepInputError(
                f"{file}: is a picture in colour (mode {mask.mode}), not of classes",
                hint="save the number of the class as gray value, or as number in a palette",
            )
        if mask.size != view.original:
            ours, theirs = (f"{size[0]}x{size[1]}" for size in (mask.size, view.original))
            raise StepInputError(
                f"{file}: is {ours} pixels, and its picture is {theirs}",
                hint="a mask has a pixel for each of the picture's",
            )
        values = np.asarray(mask).astype(np.int32)
        fitted = np.asarray(Image.fromarray(values).resize(view.resized, Image.Resampling.NEAREST))
        (left, top), (width, height) = view.corner, view.size
        seen = np.full((height, width), PADDING, np.int32)
        begin, above, end, below = view.shown
        seen[above:below, begin:end] = fitted[above + top : below + top, begin + left : end + left]
        return seen
