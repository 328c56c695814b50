"""Pictures in a folder, decoded and preprocessed as they are needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, Options
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path
from trtbuild.data import pixels
from trtbuild.data.base import Sample, spread_evenly
from trtbuild.data.preprocess import Preprocess
from trtbuild.data.truths import FoldersOrFiles

__all__ = ["Images"]

MOST_BYTES = 1 << 30
"""As much as the largest picture that is decoded takes without compression."""
HINT = "pictures end in " + ", ".join(sorted(pixels.SUFFIXES))


class Images(Options):
    """Picture files: a folder with all below it, or a glob, in the order of their names."""

    captured: ClassVar[Literal[False]] = False
    caveats: ClassVar[tuple[str, ...]] = ()

    kind: Literal["images"]
    path: Location
    """A folder, searched to the bottom, or a pattern (`photos/*.jpg`, `**` for folders at any
    depth); relative to the recipe. Hidden files and files of other kinds are passed over."""
    input: Annotated[str, Field(min_length=1)] = "input"
    """The model input that takes the picture."""
    count: Annotated[int, Field(gt=0)] | None = None
    """How many pictures to take, spread evenly over all in name order (so over all classes, where
    these are folders); fewer pictures are an error. All by default."""
    labels: FoldersOrFiles | None = None
    """`folders`: the class of a picture is the folder it lies in, the first below `path` (with a
    pattern, the nearest). Folders are numbered from 0 in name order, or as `classes` has them. Or
    files beside the pictures: boxes (`yolo`, `coco`), `masks`, or the `pictures` that should come
    out."""
    classes: Location | None = None
    """A file with the folders' names, a line each, in the order of the model's scores; without it,
    name order."""
    preprocess: Preprocess
    """How a picture becomes the array that the model takes."""

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the chosen pictures, sorted by their path below the folder (or the base).

        Raises:
            MissingFile: there is no such folder, or it holds fewer pictures than `count`.
        """
        root, names, chosen = self._choose(base)
        return tuple(root / names[index] for index in chosen)

    def find_labels(self, base: Path) -> tuple[int, ...]:
        """Return the class of each chosen picture, by its folder; none without `labels: folders`.

        All folders count for the numbers, whichever pictures were chosen.

        Raises:
            MissingFile: as `find_files`, or there is no file of `classes`.
            StepInputError: a picture lies in no folder of a class, or in an unknown one.
        """
        from trtbuild.data.class_folders import number_classes, read_class_names

        if self.labels != "folders":
            return ()
        root, names, chosen = self._choose(base)
        classes = read_class_names(base / self.classes) if self.classes else ()
        # Of a folder the first below it; of a pattern, whose start says nothing, the nearest.
        nearest = -2 if root == base and not (base / self.path).is_dir() else 0
        parts = [name.split("/") for name in names]
        folders = [each[nearest] if len(each) > 1 else "" for each in parts]
        numbers = number_classes(folders, classes, str(base / self.path))
        return tuple(numbers[index] for index in chosen)

    def find_names(self, base: Path) -> tuple[str, ...]:
        """Return the path of each chosen picture below the folder (or the base).

        Raises:
            MissingFile: as `find_files`.
        """
        _, names, chosen = self._choose(base)
        return tuple(names[index] for index in chosen)

    def find_label_files(self, base: Path) -> dict[str, Path]:
        """Return the files of labels, each by a name that is the same anywhere; none by default.

        Raises:
            MissingFile, StepInputError: one is not there, or two could be meant.
        """
        if self.labels is None or self.labels == "folders":
            return {}
        return dict(self.labels.find_files(base, self.find_names(base)))

    def _choose(self, base: Path) -> tuple[Path, list[str], Sequence[int]]:
        """Return where pictures lie, the path of each below it, and which of them to take."""
        place = base / self.path
        note_path(place)
        if place.is_dir():
            found = list(_below(place))
        elif place.is_file() or any(letter in self.path for letter in "*?["):
            found = _find_matching(self.path, base)
        else:
            raise MissingFile(f"{place}: no such folder", hint="paths relate to the recipe's file")
        names = sorted(name for name in found if _is_picture(name))
        if not names:
            raise MissingFile(f"{place}: holds no pictures", hint=HINT)
        odd = next((name for name in names if not _is_text(name)), None)
        if odd is not None:
            raise MissingFile(
                f"{place}: the name of the picture {odd!r} is not UTF-8", hint="rename it"
            )
        root = place if place.is_dir() else base
        chosen = spread_evenly(len(names), self.count, where=str(place), unit="picture")
        return root, names, chosen

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the pictures in order; up to `threads` are decoded at once, ahead of the reader.

        Raises:
            StepInputError: a picture cannot be read, decoded or preprocessed; says which and why.
        """
        import numpy as np  # noqa: F401  # imported here, and not by several threads at once
        from PIL import Image

        from trtbuild.data.prefetch import map_in_order

        Image.preinit()
        root = os.path.commonpath([path.parent for path in files]) if files else ""

        def load(path: Path) -> Sample:
            name = Path(os.path.relpath(path, root)).as_posix()
            try:
                data = read_regular(path, most_bytes=MOST_BYTES)
            except MissingFile as error:
                raise StepInputError(error.message, hint="is it still there?") from error
            array = self.preprocess.apply(pixels.decode_image(data, name), name)
            frames = pixels.count_frames(data)
            return Sample(name=name, arrays={self.input: array}, frames=frames)

        return map_in_order(load, files, threads=threads)

    def expected(self, files: Sequence[Path]) -> int:
        """Return the number of pictures."""
        return len(files)

    def fact_names(self) -> tuple[str, ...]:
        """Decoding and resizing are Pillow's, arithmetic NumPy's."""
        return ("numpy", "pillow")


def _is_text(name: str) -> bool:
    """Tell whether a name can be written down; Linux takes any bytes for one."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in pixels.SUFFIXES  # noqa: PTH122  # text is faster


def _below(folder: Path) -> Iterator[str]:
    """Yield each file below a folder, relative to it with slashes; no hidden ones."""
    for place, folders, names in os.walk(folder):
        # A link to a folder is not followed: it might lead back up.
        folders[:] = [name for name in folders if not name.startswith(".")]
        prefix = os.path.relpath(place, folder).replace(os.sep, "/") + "/"
        yield from (prefix.removeprefix("./") + name for name in names if not name.startswith("."))


def _find_matching(pattern: str, base: Path) -> list[str]:
    import glob

    for path in _expand_pattern(pattern, base):
        note_path(path)
    # glob with strings, since Path.glob refuses absolute patterns.
    found = glob.glob(pattern, root_dir=base, recursive=True)  # noqa: PTH207
    return [name.replace(os.sep, "/") for name in found if (base / name).is_file()]


def _expand_pattern(pattern: str, base: Path) -> Iterator[Path]:
    """Yield each path that glob asks for by name, below folders that a pattern matches.

    In `*/train/*.jpg` that is `train` in every folder: it may come where it is not yet.
    """
    import glob

    parts = Path(pattern).parts
    for count, part in enumerate(parts):
        before = os.path.join(*parts[:count]) if count else ""  # noqa: PTH118  # as glob takes it
        if glob.has_magic(before) and not glob.has_magic(part):
            for folder in glob.glob(before, root_dir=base, recursive=True):  # noqa: PTH207
                yield base / folder / part
