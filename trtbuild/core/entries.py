"""What lies in a folder: names, and of what is no plain file also what it is."""

from __future__ import annotations

import os

__all__ = ["list_entries"]

FOLDER, LINK, OTHER = "/", "/@", "//"
"""What stands behind a name that is not a plain file's: no name has a slash."""


def list_entries(folder: str) -> dict[str, str]:
    """Return what lies in a folder: by name, `name` with what it is behind it.

    A link counts as a link, and as what it leads to: code is told both without opening anything.

    Raises:
        OSError, ValueError: the folder cannot be listed.
    """
    with os.scandir(folder) as entries:
        return {each.name: each.name + _mark(each) for each in entries}


def _mark(entry: os.DirEntry[str]) -> str:
    try:
        kind = FOLDER if entry.is_dir() else "" if entry.is_file() else OTHER
        return kind + LINK if entry.is_symlink() else kind
    except OSError:
        return OTHER
