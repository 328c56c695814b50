"""Write whole or not at all; link or copy."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "copy_whole",
    "link_whole",
    "protect",
    "relate_path",
    "remove_file",
    "remove_tree",
    "replace_whole",
    "sync",
    "write_whole",
]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
LOCKED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
WINDOWS = os.name == "nt"


@contextlib.contextmanager
def replace_whole(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a path beside `path` to write to; on success it takes its place in one move.

    On any failure, the interrupt key included, what was there before stays as it was. An error for
    want of room, or of the place itself, names `path`, whatever it was that noticed. What is
    `durable` has reached the disk when this is done: after a power cut, too, there is the one or
    the other.

    Raises:
        OSError: it cannot be written; a folder, a pipe or a device is not replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _demand_regular(path)
    part = path.with_name(f".{path.name}.{os.urandom(6).hex()}.part")
    # Made by hand: what `tempfile` makes is for its owner alone, whatever the umask.
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        yield part
        if durable:
            sync(part)
        part.replace(path)
        if durable and not WINDOWS:  # which cannot open folders
            sync(path.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in FULL:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _demand_regular(path: Path) -> None:
    """Demand that what is at a path, or where it links to, is a file, if anything."""
    try:
        mode = path.stat().st_mode
    except OSError:  # there is nothing yet; what cannot be made is told where it is made
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "is a pipe or a device, and a file is written", str(path))


def write_whole(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file whole or not at all; what is `durable` has then reached the disk."""
    with replace_whole(path, durable=durable) as part:
        part.write_bytes(data)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, have reached the disk."""
    handle = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)  # it syncs what it may write to
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_whole(source: Path, path: Path) -> None:
    """Copy a file whole or not at all; clones the blocks where the file system can.

    Never a hard link: whoever edits the copy must not reach the source.
    """
    with replace_whole(path) as part:
        if not _clone(source, part):
            import shutil  # which nothing else of an apply with nothing to do needs

            shutil.copyfile(source, part)


def link_whole(source: Path, path: Path) -> None:
    """Give a file a second name, to be read by; a copy where the file system has no links."""
    try:
        os.link(source, path)
    except OSError:
        copy_whole(source, path)


_FICLONE = 0x40049409  # linux/fs.h


def _clone(source: Path, target: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    with source.open("rb") as reader, target.open("wb") as writer:
        try:
            fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
        except OSError:
            return False
    return True


def protect(path: Path) -> None:
    """Let nobody write to a file, and those read it whom the umask lets."""
    path.chmod(path.stat().st_mode & 0o444)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, as far as that can be removed."""
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def remove_file(path: Path) -> None:
    """Remove a file if it is there, though it be read-only: Windows would keep it."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        if not WINDOWS:
            raise
        path.chmod(0o600)
        path.unlink(missing_ok=True)


def relate_path(path: Path | str, base: Path) -> str:
    """Write a path from a folder on, with `/`; whole where none leads there: to another drive."""
    try:
        return Path(os.path.relpath(path, base)).as_posix()
    except ValueError:
        return Path(path).as_posix()
