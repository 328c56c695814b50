"""A data set as COCO describes it: a JSON file of instances, and a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trtbuild.core.errors import MissingFile
from trtbuild.core.options import Location
from trtbuild.core.watch import note_path
from trtbuild.data.class_folders import read_class_names
from trtbuild.data.picture_files import FoundPictures, PictureFiles
from trtbuild.data.truths.base import Labelling
from trtbuild.data.truths.coco import Coco, list_annotated

__all__ = ["DataCoco"]


class DataCoco(PictureFiles):
    """The pictures that a JSON file of COCO's format annotates, with their boxes."""

    kind: Literal["coco"]
    path: Location
    """The JSON file (`annotations/instances_val2017.json`), relative to the recipe. Its pictures
    come in the order of their `file_name`."""
    pictures: Location
    """The folder that `file_name` relates to, relative to the recipe."""
    classes: Location | None = None
    """A file with the categories' names, a line each, in the order of the model's scores; without
    it, the order of their ids (COCO's 80 are then 0 to 79)."""

    @property
    def labels(self) -> Coco:
        """What reads the boxes."""
        return Coco(kind="coco", path=self.path, classes=self.classes)

    def find_label_kind(self) -> Labelling:
        """Return what reads the boxes."""
        return self.labels

    def find_class_names(self, base: Path) -> tuple[str, ...]:
        """Return the names in `classes`, or of the categories by their ids.

        Raises:
            MissingFile, StepInputError: there is no such file, or it is no such description.
        """
        if self.classes is not None:
            return read_class_names(base / self.classes)
        return list_annotated(base / self.path)[1]

    def list_pictures(self, base: Path) -> FoundPictures:
        """Return all that are annotated, in the order of their names.

        Raises:
            MissingFile: a picture is not there, or the file.
            StepInputError: the file is not of this format.
        """
        place, root = base / self.path, base / self.pictures
        note_path(place)
        if not place.is_file():
            raise MissingFile(f"{place}: no such file", hint="paths relate to the recipe's file")
        names, _ = list_annotated(place)
        found = FoundPictures(root, names, str(place))
        for index in self.choose_indexes(found):
            picture = root / names[index]
            note_path(picture)
            if not picture.is_file():
                raise MissingFile(
                    f"{picture}: no such file; {place} names it",
                    hint="`pictures` is the folder that each `file_name` relates to",
                )
        return found
