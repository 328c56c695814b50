"""What every kind of label files does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from trtbuild.data.preprocess import View

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LabelKind", "Reader"]

Reader = Callable[[str, View], "np.ndarray"]
"""The label of a picture, by its name, in what the model takes of it."""


class LabelKind(Protocol):
    """A kind of labels: which files hold them, and what they say of a picture."""

    kind: str
    without: ClassVar[str]
    """What it means that pictures have no file (`have no mask: ...`); empty where each has one."""
    facts: ClassVar[tuple[str, ...]]
    """The installed packages whose version may change a label."""

    def find_files(self, base: Path, pictures: Sequence[str]) -> Mapping[str, Path]:
        """Return every file to pin, each by a name that is the same anywhere.

        `base` is the recipe's folder; pictures are named by their paths below their own.

        Raises:
            MissingFile, StepInputError: one is not there, or two could be meant.
        """

    def open(self, files: Mapping[str, Path]) -> Reader:
        """Return what reads the labels in these files.

        Raises:
            StepInputError: a file is not what it should be; says which and where. So does reading.
        """
