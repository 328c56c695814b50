"""Write whole or not at all; lock; link or copy."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["copy_whole", "link_whole", "replace_whole", "try_lock", "write_whole"]


@contextlib.contextmanager
def replace_whole(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it takes its place in one move.

    On any failure, the interrupt key included, what was there before stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    with replace_whole(path) as part:
        part.write_bytes(data)


def copy_whole(source: Path, path: Path) -> None:
    """Copy a file whole or not at all; clones the blocks where the file system can.

    Never a hard link: whoever edits the copy must not reach the source.
    """
    with replace_whole(path) as part:
        if not _clone(source, part):
            shutil.copyfile(source, part)


def link_whole(source: Path, path: Path) -> None:
    """Give a file a second name, to be read by; a copy where the file system has no links."""
    try:
        os.link(source, path)
    except OSError:
        copy_whole(source, path)


_FICLONE = 0x40049409  # linux/fs.h


def _clone(source: Path, target: Path) -> bool:
    with source.open("rb") as reader, target.open("wb") as writer:
        try:
            fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
        except OSError:
            return False
    return True


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Take a lock, exclusive or shared, or return None at once if somebody stands against it.

    Returns a file descriptor; closing it, or the death of the process, gives the lock back.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
