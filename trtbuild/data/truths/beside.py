"""Files that belong to pictures: of the same name, below a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path

__all__ = ["find_beside", "name_stem", "read_beside"]

_MOST_BYTES = 1 << 30


def name_stem(picture: str) -> str:
    """Return what a picture's file is called before its suffix, below the folder of pictures."""
    return PurePosixPath(picture).with_suffix("").as_posix()


def find_beside(
    place: Path, pictures: Sequence[str], suffixes: Collection[str], *, what: str
) -> dict[str, Path]:
    """Return the file of each picture that has one, by the picture's name.

    Below `place` it has the picture's path, or its name alone, but for the suffix. `what` is what
    such a file is, for messages.

    Raises:
        MissingFile: there is no such folder, or no file of any picture in it.
        StepInputError: two files could be a picture's, or a file that of two pictures.
    """
    note_path(place)
    if not place.is_dir():
        raise MissingFile(f"{place}: no such folder", hint="paths relate to the recipe's file")
    known = _list_files(place, suffixes)
    found: dict[str, Path] = {}
    taken: dict[str, str] = {}
    for picture in pictures:
        stem = name_stem(picture)
        files = known.get(stem) or known.get(PurePosixPath(stem).name) or ()
        if len(files) > 1:
            raise StepInputError(
                f"{picture}: two files could be its {what}: {', '.join(files)}",
                hint="keep one of them",
            )
        if files:
            found[picture] = Path(files[0])
            _demand_one_owner(files[0], picture, taken, what)
    if not found:
        first = name_stem(pictures[0]) + min(suffixes) if pictures else ""
        raise MissingFile(
            f"{place}: holds no {what} of any picture",
            hint=f"files are called as the pictures are, below this folder: {first}",
        )
    return found


def _list_files(place: Path, suffixes: Collection[str]) -> dict[str, list[str]]:
    """Return the files below a folder, by their paths below it without the suffix."""
    known: dict[str, list[str]] = {}
    for folder, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            stem, suffix = os.path.splitext(name)  # noqa: PTH122  # text is faster
            if suffix.lower() in suffixes and not name.startswith("."):
                below = Path(os.path.relpath(folder, place), stem).as_posix()
                known.setdefault(below, []).append(str(Path(folder, name)))
    return known


def _demand_one_owner(file: str, picture: str, taken: dict[str, str], what: str) -> None:
    """Refuse a file that pictures in two folders would share; `1.jpg` may lie beside `1.png`."""
    other = taken.setdefault(file, picture)
    if name_stem(other) != name_stem(picture):
        raise StepInputError(
            f"{file}: could be the {what} of {other} and of {picture}",
            hint="put each where its picture lies: in folders of the same names",
        )


def read_beside(path: Path, name: str) -> bytes:
    """Return the bytes of such a file.

    Raises:
        StepInputError: it is gone, or cannot be read.
    """
    try:
        return read_regular(path, most_bytes=_MOST_BYTES)
    except MissingFile as error:
        raise StepInputError(f"{name}: {error.message}", hint="is it still there?") from error
