"""npz: an array with the class of each picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, NonEmpty, Options
from trtbuild.core.watch import note_path

__all__ = ["Npz"]


class Npz(Options):
    """The class of each picture in an array, in the order of all pictures."""

    tells_classes: ClassVar[Literal[True]] = True

    kind: Literal["npz"]
    path: Location
    """The npz or npy file, relative to the recipe."""
    array: NonEmpty = "labels"
    """The array in an npz file: a whole number from 0 for each picture that `path` of the data
    finds, in their order, whichever of them are taken."""

    def read_classes(self, base: Path, pictures: Sequence[str]) -> tuple[int, ...]:
        """Return the class of each picture.

        Raises:
            MissingFile: there is no such file.
            StepInputError: it holds no such array, or not one class for each picture.
        """
        from trtbuild.data.arrays import read_array_file

        place = base / self.path
        note_path(place)
        if not place.is_file():
            raise MissingFile(f"{place}: no such file", hint="paths relate to the recipe's file")
        arrays = read_array_file(place)
        found = next(iter(arrays.values())) if set(arrays) == {"input"} else arrays.get(self.array)
        if found is None:
            raise StepInputError(
                f"{place}: has no array `{self.array}`", hint=f"its arrays: {', '.join(arrays)}"
            )
        if found.shape != (len(pictures),) or found.dtype.kind not in "iu" or (found < 0).any():
            raise StepInputError(
                f"{place}: `{self.array}` is {found.dtype} {list(found.shape)}; a whole number from"
                f" 0 for each of {len(pictures)} pictures is needed",
                hint="save the classes of all pictures, in the order of their names",
            )
        return tuple(int(each) for each in found)
