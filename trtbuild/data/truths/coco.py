"""coco: one JSON file of annotations for all pictures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, Options
from trtbuild.core.watch import note_path
from trtbuild.data.class_folders import read_class_names
from trtbuild.data.preprocess import View
from trtbuild.data.truths.base import Reader
from trtbuild.data.truths.beside import read_beside
from trtbuild.data.truths.boxes import place_boxes

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Coco", "list_annotated"]

HINT = "COCO's format has `images`, `annotations` and `categories`: cocodataset.org/#format-data"
ANNOTATIONS, CLASSES = "annotations", "classes"


class Coco(Options):
    """Boxes in a JSON file of COCO's format (`instances_val.json`), for all pictures at once."""

    tells_classes: ClassVar[Literal[False]] = False
    without: ClassVar[str] = ""
    facts: ClassVar[tuple[str, ...]] = ("numpy",)

    kind: Literal["coco"]
    path: Location
    """The JSON file, relative to the recipe. Pictures are found in it by `file_name`."""
    classes: Location | None = None
    """A file with the categories' names, a line each, in the order of the model's scores; without
    it, the order of their ids (COCO's 80 are then 0 to 79)."""

    def find_files(self, base: Path, pictures: Sequence[str]) -> dict[str, Path]:  # noqa: ARG002  # one is for all
        """Return the JSON file, and the one of `classes`.

        Raises:
            MissingFile: one is not there.
        """
        found = {ANNOTATIONS: base / self.path}
        if self.classes is not None:
            found[CLASSES] = base / self.classes
        for path in found.values():
            note_path(path)
            if not path.is_file():
                raise MissingFile(f"{path}: no such file", hint="paths relate to the recipe's file")
        return found

    def open(self, files: Mapping[str, Path]) -> Reader:
        """Return what reads the label of a picture.

        Raises:
            StepInputError: the file is not of this format.
        """
        place = files[ANNOTATIONS]
        return partial(_read, _load(place, files.get(CLASSES)), str(place))


_Size = Annotated[float, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True, allow_inf_nan=False)


class _Image(_Part):
    id: int
    file_name: str
    width: int
    height: int


class _Annotation(_Part):
    image_id: int
    category_id: int
    bbox: Annotated[tuple[float, float, _Size, _Size], Field(strict=False)]
    iscrowd: int = 0


class _Category(_Part):
    id: int
    name: str


class _File(_Part):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


class _Annotations:
    """What a file says, by picture."""

    def __init__(self, file: _File, classes: Mapping[int, int]) -> None:
        self.classes = classes
        self.by_image: dict[int, list[_Annotation]] = {}
        for each in file.annotations:
            self.by_image.setdefault(each.image_id, []).append(each)
        self._images: dict[str, list[_Image]] = {}
        self._alone: dict[str, list[_Image]] = {}
        for image in file.images:
            self._images.setdefault(image.file_name, []).append(image)
            self._alone.setdefault(PurePosixPath(image.file_name).name, []).append(image)
        self._taken: dict[int, str] = {}

    def find(self, name: str, file: str) -> _Image:
        """Return a picture by its path below the folder, or its name alone.

        Raises:
            StepInputError: there is none of that name, or it is not known which is meant.
        """
        found = self._images.get(name) or self._alone.get(PurePosixPath(name).name)
        if not found:
            raise StepInputError(
                f"{name}: is none of the {len(self._images)} pictures in {file}",
                hint="take pictures out that were not annotated, or name the right file",
            )
        other = self._taken.setdefault(found[0].id, name)
        if len(found) > 1 or other != name:
            told = "two pictures there could be it" if len(found) > 1 else f"so is {other}"
            raise StepInputError(
                f"{name}: is `{found[0].file_name}` in {file}, and {told}",
                hint="let each `file_name` be a picture's path below the data's folder",
            )
        return found[0]


def _read(annotations: _Annotations, file: str, name: str, view: View) -> np.ndarray:
    image = annotations.find(name, file)
    if (image.width, image.height) != view.original:
        raise StepInputError(
            f"{name}: is {view.original[0]}x{view.original[1]} pixels, and "
            f"{image.width}x{image.height} in {file}",
            hint="boxes are in pixels: give the pictures that they were made for",
        )
    boxes = [
        (annotations.classes[each.category_id], x, y, x + width, y + height, bool(each.iscrowd))
        for each in annotations.by_image.get(image.id, ())
        for x, y, width, height in (each.bbox,)
    ]
    return place_boxes(boxes, view)


def list_annotated(path: Path) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of a file's pictures, sorted, and of its categories, by their ids.

    Raises:
        StepInputError: it is not of this format.
    """
    file = _parse(path)
    names = {each.id: each.name for each in file.categories}
    return sorted(each.file_name for each in file.images), tuple(names[n] for n in sorted(names))


def _load(path: Path, classes: Path | None) -> _Annotations:
    file = _parse(path)
    return _Annotations(file, _number(file, path, classes))


def _parse(path: Path) -> _File:
    data = read_beside(path, path.name)
    try:
        file = TypeAdapter(_File).validate_python(json.loads(data))
    except ValidationError as error:
        first: Any = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        told = "a mapping is needed" if first["type"] == "model_type" else first["msg"]
        place = f"`{where}`" if where else "the whole"
        raise StepInputError(f"{path}: {place}: {told}", hint=HINT) from None
    except (ValueError, RecursionError) as error:
        raise StepInputError(f"{path}: is not JSON: {error}", hint=HINT) from None
    for section, parts in (("images", file.images), ("categories", file.categories)):
        twice = [number for number, count in Counter(p.id for p in parts).items() if count > 1]
        if twice:
            told = f"{path}: `{section}` holds the id {twice[0]} twice"
            raise StepInputError(told, hint="give each a number of its own")
    return file


def _number(file: _File, path: Path, classes: Path | None) -> dict[int, int]:
    """Return the number of each category: its place in `classes`, or among the ids."""
    names = {each.id: each.name for each in file.categories}
    order = sorted(names) if classes is None else ()
    numbers = {each: place for place, each in enumerate(order)}
    if classes is not None:
        places = {name: place for place, name in enumerate(read_class_names(classes))}
        numbers = {each: places[name] for each, name in names.items() if name in places}
    strange = next((e.category_id for e in file.annotations if e.category_id not in numbers), None)
    if strange is not None:
        told = f"`{names[strange]}`" if strange in names else f"with the id {strange}"
        raise StepInputError(
            f"{path}: the category {told} is not in {classes or '`categories`'}",
            hint="add it there, in the order of the model's scores",
        )
    return numbers
