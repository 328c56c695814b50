"""Open what a recipe names: a regular file, and no more of it than such a file may hold."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from trtbuild.core.errors import MissingFile

__all__ = ["MOST_TEXT_BYTES", "open_regular", "read_regular"]

NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)  # Windows has no pipes in its folders
MOST_TEXT_BYTES = 64 << 20
"""More than any lock, plan or table of ranges comes to; held in memory, as trees, many times."""
POINTER = b"version https://git-lfs.github.com/spec/v1"
"""What a file begins with that git LFS has left in the place of a large one."""
DIRECTORY = "is a directory; a file is needed"


def open_regular(path: Path, *, called: str = "", hint: str = "") -> BufferedReader:
    """Open a file to read its bytes; a pipe, which would be waited for, or a device is refused.

    So is what git LFS leaves where a file was not fetched. `called` is the name of the file in
    messages, by default its path.

    Raises:
        MissingFile: it is not there, is no regular file, or may not be read.
    """
    name = called or str(path)
    try:
        # Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | NONBLOCK)
    except (OSError, ValueError) as error:
        refused = isinstance(error, PermissionError) and path.is_dir()  # on Windows
        what = DIRECTORY if refused else _explain_error(error)
        raise MissingFile(f"{name}: {what}", hint=hint) from None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        what = DIRECTORY if stat.S_ISDIR(mode) else "is a pipe or a device; a file is needed"
        raise MissingFile(f"{name}: {what}", hint=hint)
    file = os.fdopen(handle, "rb")
    if file.peek(len(POINTER)).startswith(POINTER):
        file.close()
        raise MissingFile(
            f"{name}: is a pointer of git LFS, not the file itself",
            hint=f'fetch it: git lfs pull --include="{path.name}"',
        )
    return file


def read_regular(
    path: Path, *, most_bytes: int = MOST_TEXT_BYTES, called: str = "", hint: str = ""
) -> bytes:
    """Return the bytes of a regular file; `called` is its name in messages.

    Raises:
        MissingFile: it is not there, is no regular file, may not be read, or is too long.
    """
    name = called or str(path)
    with open_regular(path, called=called, hint=hint) as file:
        try:
            whole = os.fstat(file.fileno()).st_size <= most_bytes  # else not one byte is read
            data = file.read(most_bytes + 1) if whole else b""
        except OSError as error:
            raise MissingFile(f"{name}: {_explain_error(error)}", hint=hint) from None
    if not whole or len(data) > most_bytes:
        raise MissingFile(
            f"{name}: is longer than {most_bytes >> 20} MiB, and such a file is not",
            hint="is this the right file?",
        )
    return data


def _explain_error(error: OSError | ValueError) -> str:
    """Say why a file cannot be read: a NUL in its path is a ValueError."""
    if not isinstance(error, OSError):
        return str(error)
    return "no such file" if error.errno == errno.ENOENT else (error.strerror or str(error))
