"""Files below a folder, by a pattern, or in a list; every look is heard of by whoever watches."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from trtbuild.core.errors import MissingFile
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path

__all__ = ["find_by_suffix", "find_named_files", "is_pattern", "read_list"]

ABSENT = "paths relate to the recipe's file"


def is_pattern(path: str) -> bool:
    """Tell whether a path is one for many."""
    return any(letter in path for letter in "*?[")


def find_named_files(
    path: str,
    base: Path,
    wanted: Callable[[str], bool],
    *,
    what: str,
    hint: str,
    any_suffix: bool = False,
) -> tuple[Path, list[str]]:
    """Return the root and, sorted, the path below it of each file that a recipe names.

    Args:
        path: a folder, searched to the bottom, a pattern, or one file; relative to `base`.
        base: the recipe's folder.
        wanted: tells by its name whether a file is of this kind; others are passed over.
        what: what such files are called (`pictures`), for messages.
        hint: by what their names are known.
        any_suffix: take one file, where just that is named, whatever its name.

    Raises:
        MissingFile: there is no such place, or no such file in it.
    """
    place = base / path
    note_path(place)
    if any_suffix and place.is_file():
        return base, [path]
    if place.is_dir():
        found, root = list(_below(place)), place
    elif place.is_file():  # whatever its name: one with brackets is no pattern
        found, root = [path], base
    elif is_pattern(path):
        found, root = _find_matching(path, base), base
    else:
        what = "file" if place.suffix else "folder"
        raise MissingFile(f"{place}: no such {what}", hint=ABSENT)
    names = sorted(name for name in found if wanted(name))
    if not names:
        raise MissingFile(f"{place}: holds no {what}", hint=hint)
    demand_text(names, place, what)
    return root, names


def demand_text(names: list[str], place: Path, what: str) -> None:
    """Refuse names that cannot be written down; Linux takes any bytes for one.

    Raises:
        MissingFile: there is such a name.
    """
    odd = next((name for name in names if not _is_text(name)), None)
    if odd is not None:
        told = f"the name of the {what.removesuffix('s')} {odd!r} is not UTF-8"
        raise MissingFile(f"{place}: {told}", hint="rename it")


def read_list(place: Path, *, what: str) -> list[str]:
    """Return the paths in a text file that lists files, a line each, as they stand there.

    Raises:
        MissingFile: it is not there, is no UTF-8 text, or lists nothing.
    """
    hint = f"write the path of one of the {what} a line, relative to this file"
    try:
        text = read_regular(place, hint=hint).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MissingFile(f"{place}: is not UTF-8 text", hint=hint) from None
    lines = [line.strip().removeprefix("./") for line in text.splitlines()]
    names = [line for line in lines if line]
    if not names:
        raise MissingFile(f"{place}: lists no {what}", hint=hint)
    for number, line in enumerate(lines, start=1):
        path = place.parent / line
        note_path(path)
        if line and not path.is_file():
            raise MissingFile(f"{place}:{number}: {path}: no such file", hint=hint)
    return names


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


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


def find_by_suffix(path: str, base: Path, suffixes: Collection[str], *, what: str) -> list[Path]:
    """Return the files that a recipe names, in name order: one, or those that end alike.

    Raises:
        MissingFile: there is no such place, or no such file in it.
    """

    def wanted(name: str) -> bool:
        return os.path.splitext(name)[1].lower() in suffixes  # noqa: PTH122  # text is faster

    hint = f"{what} end in " + ", ".join(sorted(suffixes))
    root, names = find_named_files(path, base, wanted, what=what, hint=hint, any_suffix=True)
    return [root / name for name in names]
