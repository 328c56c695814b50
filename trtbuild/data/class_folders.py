"""Labels from folders: pictures of one class lie in a folder of its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path

__all__ = ["number_classes", "read_class_names"]

MOST_BYTES = 16 << 20
"""More than a million names."""


def read_class_names(path: Path, *, unlike: bool = True) -> tuple[str, ...]:
    """Read the names of classes, a line each, in the order of the model's scores.

    Empty lines at the end do not count. Folders are told by their names, which must then be
    `unlike`; where names are only shown, two classes may have one (ImageNet has two cranes).

    Raises:
        MissingFile: there is no such file.
        StepInputError: it is no such list: empty, not UTF-8, or a name stands there twice.
    """
    note_path(path)
    hint = "it has the name of a class a line, in the order of the model's scores"
    if unlike:
        hint += ", as the folders are called"
    try:
        names = read_regular(path, most_bytes=MOST_BYTES).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise StepInputError(f"{path}: is not UTF-8 text", hint=hint) from None
    except MissingFile as error:
        raise MissingFile(error.message, hint=hint) from None
    stripped = [name.strip() for name in names]
    while stripped and not stripped[-1]:
        stripped.pop()
    if not stripped or not all(stripped):
        raise StepInputError(f"{path}: has an empty line, or none at all", hint=hint)
    twice = next((name for name in stripped if stripped.count(name) > 1), None)
    if unlike and twice is not None:
        raise StepInputError(f"{path}: names `{twice}` twice", hint=hint)
    return tuple(stripped)


def number_classes(folders: Sequence[str], classes: Sequence[str], where: str) -> tuple[int, ...]:
    """Return the number of each folder's class: its place in `classes`, or in name order.

    Args:
        folders: for each picture the name of its class folder; empty where it lies in none.
        classes: the names in the order of the model's scores; all folders, sorted, where empty.
        where: the place that holds the folders, for messages.

    Raises:
        StepInputError: a picture lies in no folder, or in one that is no class.
    """
    if not all(folders):
        raise StepInputError(
            f"{where}: picture {folders.index('')} lies in no folder of a class",
            hint="put each picture into a folder called as its class, or leave out `labels`",
        )
    numbers = {name: number for number, name in enumerate(classes or sorted(set(folders)))}
    strange = next((name for name in folders if name not in numbers), None)
    if strange is not None:
        raise StepInputError(
            f"{where}: the folder `{strange}` is none of the {len(classes)} classes",
            hint="add its name to the file of `classes`, or take the folder out of the data",
        )
    return tuple(numbers[name] for name in folders)
