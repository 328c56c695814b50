"""A data set as YOLO describes it: `data.yaml` with folders of pictures and names of classes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, NonEmpty
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path
from trtbuild.core.words import quote_whole
from trtbuild.data.picture_files import FoundPictures, PictureFiles, is_picture
from trtbuild.data.truths.base import Labelling
from trtbuild.data.truths.yolo import Yolo

__all__ = ["DataYolo"]

HINT = "it says `path`, `train`, `val` and `names`: docs.ultralytics.com/datasets/detect"
_MOST_BYTES = 4 << 20


class DataYolo(PictureFiles):
    """A data set by its `data.yaml`: pictures of a split, boxes in text files, names of classes.

    The boxes of `.../images/val/1.jpg` are in `.../labels/val/1.txt`, or beside the picture.
    """

    kind: Literal["yolo"]
    path: Location
    """The `data.yaml`, relative to the recipe. Its own `path` relates to it; what `download` says
    is not done."""
    split: NonEmpty = "val"
    """Which of its lists to take: `train`, `val`, `test`."""

    @property
    def labels(self) -> Yolo:
        """What reads the boxes; where they are, this data set knows."""
        return Yolo(kind="yolo", path=self.path)

    def find_label_kind(self) -> Labelling:
        """Return the text files of boxes."""
        return self.labels

    def find_class_names(self, base: Path) -> tuple[str, ...]:
        """Return `names`.

        Raises:
            MissingFile, StepInputError: there is no such file, or it is no such description.
        """
        names = self._describe(base).get("names", ())
        if isinstance(names, dict):
            names = [names[number] for number in sorted(names)]
        return tuple(str(name) for name in names)

    def find_label_files(self, base: Path) -> dict[str, Path]:
        """Return the text file of each picture that has one.

        Raises:
            MissingFile: as `find_files`, or no picture has one.
        """
        root, names = self.list_pictures(base).root, self.find_names(base)
        places = {name: root / _name_labels(name) for name in names}
        for place in places.values():
            note_path(place)
        found = {name: place for name, place in places.items() if place.is_file()}
        if not found:
            first = next(iter(places.values()), root)
            raise MissingFile(f"{base / self.path}: no picture has boxes", hint=f"add {first}")
        return found

    def list_pictures(self, base: Path) -> FoundPictures:
        """Return the pictures of the split, in name order, or as listed in a text file.

        Raises:
            MissingFile: a folder or list that is named is not there, or holds none.
            StepInputError: there is no such split, or the file is no such description.
        """
        described, place = self._describe(base), base / self.path
        if self.split not in described:
            splits = [name for name in ("train", "val", "test") if described.get(name)]
            raise StepInputError(
                f"{place}: has no `{self.split}`", hint=f"it has {', '.join(splits) or 'none'}"
            )
        told = described[self.split]
        root = place.parent / str(described.get("path") or "")
        entries = [str(each) for each in told] if isinstance(told, list) else [str(told)]
        names = [name for entry in entries for name in _list_entry(_resolve(entry, root), root)]
        if not names:
            raise MissingFile(f"{place}: its `{self.split}` holds no pictures", hint=HINT)
        return FoundPictures(root, names, f"{place}: `{self.split}`")

    def _describe(self, base: Path) -> dict[str, Any]:
        import yaml

        place = base / self.path
        note_path(place)
        try:
            described = yaml.safe_load(read_regular(place, most_bytes=_MOST_BYTES))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            told = quote_whole(str(error).replace("\n", " "))
            raise StepInputError(f"{place}: is not YAML: {told}", hint=HINT) from None
        if not isinstance(described, dict):
            raise StepInputError(f"{place}: describes no data set", hint=HINT)
        names = described.get("names", [])
        numbers = names if isinstance(names, dict) else ()
        if not isinstance(names, list | dict) or not all(isinstance(each, int) for each in numbers):
            raise StepInputError(f"{place}: `names` is no list of classes", hint=HINT)
        return described


def _name_labels(picture: str) -> str:
    """Return the text file of a picture: in `labels` in place of the last `images`."""
    parts = list(Path(picture).with_suffix(".txt").parts)
    for index in reversed(range(len(parts) - 1)):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return "/".join(parts)


def _resolve(entry: str, root: Path) -> Path:
    """Return where an entry leads; Roboflow writes `../train` for what lies beside the file."""
    place = root / entry
    note_path(place)
    if not place.exists() and entry.startswith("../"):
        beside = root / entry.removeprefix("../")
        note_path(beside)
        place = beside if beside.exists() else place
    return place


def _list_entry(place: Path, root: Path) -> Iterator[str]:
    """Yield the path below the root of each picture that a folder holds or a list names."""
    from trtbuild.data.file_search import find_named_files, read_list

    if place.suffix == ".txt":
        folder, names = place.parent, read_list(place, what="pictures")
    else:
        folder, names = find_named_files(str(place), root, is_picture, what="pictures", hint=HINT)
    for name in names:
        yield Path(os.path.relpath(folder / name, root)).as_posix()
