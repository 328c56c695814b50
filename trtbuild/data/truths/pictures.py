"""pictures: what should come out, as a picture beside each picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Location, Options
from trtbuild.data import pixels
from trtbuild.data.preprocess import Preprocess, View
from trtbuild.data.truths.base import Reader
from trtbuild.data.truths.beside import find_beside, read_beside

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Pictures"]


class Pictures(Options):
    """What the model should make of each picture, as a picture: for super-resolution, denoising."""

    tells_classes: ClassVar[Literal[False]] = False
    without: ClassVar[str] = ""
    facts: ClassVar[tuple[str, ...]] = ("numpy", "pillow")

    kind: Literal["pictures"]
    path: Location
    """The folder of pictures, called as those of the data are, relative to the recipe. Each has
    one."""
    preprocess: Preprocess = Preprocess()
    """How such a picture becomes what the model puts out: colour, scale, layout. By default RGB
    from 0 to 1, channels first."""

    def find_files(self, base: Path, pictures: Sequence[str]) -> dict[str, Path]:
        """Return the picture that should come out, of each picture.

        Raises:
            MissingFile: there is no such folder, or none in it.
            StepInputError: a picture has none.
        """
        found = find_beside(base / self.path, pictures, pixels.SUFFIXES, what="picture")
        missing = next((name for name in pictures if name not in found), None)
        if missing is not None:
            raise StepInputError(
                f"{base / self.path}: holds no picture for {missing}",
                hint="add it, or take the picture out of the data",
            )
        return found

    def open(self, files: Mapping[str, Path]) -> Reader:
        """Return what reads the label of a picture."""
        return partial(self._read, files)

    def _read(self, files: Mapping[str, Path], name: str, view: View) -> np.ndarray:  # noqa: ARG002  # it has its own preprocessing
        """Return what should come out, float32.

        Raises:
            StepInputError: it is no picture.
        """
        file = str(files[name])
        return self.preprocess.apply(
            pixels.decode_image(read_beside(files[name], name), file), file
        )
