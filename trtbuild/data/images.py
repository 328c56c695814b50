"""Pictures in a folder, by a pattern, or in a list."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from trtbuild.core.options import Location
from trtbuild.data import pixels
from trtbuild.data.picture_files import FoundPictures, PictureFiles, is_picture
from trtbuild.data.truths import FoldersOrFiles
from trtbuild.data.truths.base import Labelling, tells_classes

__all__ = ["Images"]

HINT = "pictures end in " + ", ".join(sorted(pixels.SUFFIXES))
LIST = ".txt"


class Images(PictureFiles):
    """Picture files: a folder with all below it, or a glob, in the order of their names; or a list.

    A list is a `.txt` file with a path a line, relative to it, and is taken in its own order.
    """

    kind: Literal["images"]
    path: Location | Annotated[tuple[Location, ...], Field(min_length=1)]
    """A folder, searched to the bottom, a pattern (`photos/*.jpg`, `**` for folders at any depth),
    or a list (`train.txt`); relative to the recipe. Or several of these, one after the other:
    `[photos, more/*.png]`. Hidden files and files of other kinds are passed over."""
    labels: FoldersOrFiles | None = None
    """`folders`: the class of a picture is the folder it lies in, the first below `path` (with a
    pattern or a list, the nearest). Folders are numbered from 0 in name order, or as `classes` has
    them. Or files: classes (`csv`, `npz`), and what lies beside the pictures: boxes (`yolo`,
    `coco`), `masks`, or the `pictures` that should come out."""
    classes: Location | None = None
    """A file with the folders' names, a line each, in the order of the model's scores; without it,
    name order."""

    def list_pictures(self, base: Path) -> FoundPictures:
        """Return all pictures, sorted by their path below the folder (or the base), or as listed.

        Raises:
            MissingFile: there is no such folder, or no picture in it.
        """
        if isinstance(self.path, str):
            return _find(self.path, base)
        parts = [_find(path, base) for path in self.path]
        places = [part.root / name for part in parts for name in part.names]
        names = [Path(os.path.relpath(place, base)).as_posix() for place in places]
        return FoundPictures(base, list(dict.fromkeys(names)), f"{base}: `path`")

    def find_label_kind(self) -> Labelling:
        """Return `labels`."""
        return self.labels

    def find_class_names(self, base: Path) -> tuple[str, ...]:
        """Return the names in `classes`, or those of the folders in name order.

        Raises:
            MissingFile, StepInputError: there is no file of `classes`, or it is none.
        """
        from trtbuild.data.class_folders import read_class_names

        if self.classes is not None:
            return read_class_names(base / self.classes)
        if self.labels == "folders":
            return tuple(sorted(set(self._folders(self.list_pictures(base), base))))
        return ()

    def find_labels(self, base: Path) -> tuple[int, ...]:
        """Return the class of each chosen picture, by its folder or the file that says it.

        All folders count for the numbers, whichever pictures were chosen.

        Raises:
            MissingFile: as `find_files`, or there is no file of classes.
            StepInputError: a picture lies in no folder of a class, or in an unknown one.
        """
        from trtbuild.data.class_folders import number_classes, read_class_names

        if not tells_classes(self.labels):
            return ()
        found = self.list_pictures(base)
        told: Any = self.labels
        if told != "folders":
            numbers = tuple(told.read_classes(base, found.names))
        else:
            classes = read_class_names(base / self.classes) if self.classes else ()
            numbers = number_classes(self._folders(found, base), classes, found.where)
        return tuple(numbers[index] for index in self.choose_indexes(found))

    def _folders(self, found: FoundPictures, base: Path) -> list[str]:
        """Return the folder that tells each picture's class: of a pattern the nearest."""
        alone = isinstance(self.path, str) and (base / self.path).is_dir()
        nearest = 0 if alone else -2
        parts = [name.split("/") for name in found.names]
        return [each[nearest] if len(each) > 1 else "" for each in parts]


def _find(path: str, base: Path) -> FoundPictures:
    """Return the pictures of one folder, pattern or list."""
    from trtbuild.data.file_search import find_named_files, read_list

    place = base / path
    if path.endswith(LIST) and not place.is_dir():
        return FoundPictures(place.parent, read_list(place, what="pictures"), str(place))
    root, names = find_named_files(path, base, is_picture, what="pictures", hint=HINT)
    return FoundPictures(root, names, str(place))
