"""What lies where in a store, as the store itself tells it."""

from __future__ import annotations

import os
from pathlib import Path

from trtbuild.core.watch import note_path
from trtbuild.store.record_files import take_digits

__all__ = ["README", "holds_object", "locate_object", "locate_record"]

README = """This is trtbuild's store: results of build steps, kept so that they need not run again.

objects/   files by the sha256 of their contents; read-only
actions/   what each step was made of and what it left, by the digest of its ingredients
contents/  the same actions, by the digests of their inputs' contents
observed/  what code of yours was seen to read and load, by the digest of what it declares
records/   the last runs of each recipe
logs/      what the builder of each engine said
work/      steps that are running, or that failed (their logs)
locks/     one lock a step
benches/   what `trtbuild bench` measured, by recipe and time
running/   what is being built at the moment
stamps/    what commands with nothing to do said, to be said again while that is so

Everything here can be made again: deleting the directory costs time, and nothing else.
"""


# Texts, not paths: a command asks for hundreds, and to look at one takes less than to make a path.


def locate_object(root: Path, digest: str) -> str:
    """Return where in a store the bytes with a digest lie, or would lie."""
    name = take_digits(digest)
    return os.path.join(root, "objects", name[:2], name[2:])  # noqa: PTH118


def holds_object(root: Path, digest: str, size_bytes: int) -> bool:
    """Tell whether a store has an object of that size; its bytes are not looked at."""
    path = locate_object(root, digest)
    note_path(path)
    try:
        return os.stat(path).st_size == size_bytes  # noqa: PTH116
    except OSError:
        return False


def locate_record(root: Path, folder: str, digest: str) -> str:
    """Return where in a store what one of its folders has under a digest lies, or would lie."""
    return os.path.join(root, folder, f"{take_digits(digest)}.json")  # noqa: PTH118
