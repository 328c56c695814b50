"""What every kind of label files does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from typing_extensions import TypeIs

    from trtbuild.data.preprocess import View

__all__ = ["ClassKind", "LabelKind", "Labelling", "Reader", "tells_classes"]

Reader = Callable[[str, "View"], "np.ndarray"]
"""The label of a picture, by its name, in what the model takes of it."""


class LabelKind(Protocol):
    """A kind of labels: which files hold them, and what they say of a picture."""

    @property
    def kind(self) -> str:
        """The word that a recipe has for it."""

    tells_classes: ClassVar[Literal[False]]
    """True where a label is the class of the whole picture: see `ClassKind`."""
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


class ClassKind(Protocol):
    """A kind of labels that is one file of the classes of all pictures, read when planning."""

    @property
    def kind(self) -> str:
        """The word that a recipe has for it."""

    tells_classes: ClassVar[Literal[True]]

    @property
    def path(self) -> str:
        """The file, from the recipe's folder."""

    def read_classes(self, base: Path, pictures: Sequence[str]) -> Sequence[int]:
        """Return the class of each picture; all that there are, in order.

        Raises:
            MissingFile, StepInputError: the file is not there, or does not tell.
        """


Labelling = LabelKind | ClassKind | Literal["folders"] | None
"""What a recipe says of the labels of pictures; of `folders`, their names are the classes."""


def tells_classes(labels: Any) -> TypeIs[ClassKind | Literal["folders"]]:
    """Tell whether what a recipe says of labels makes each the class of a whole picture."""
    return labels == "folders" or bool(getattr(labels, "tells_classes", False))
