"""Locks on files, shared or alone; the end of a process gives back what it held.

Loads next to nothing: commands that answer at once ask for a lock too. POSIX has flock. Windows
locks bytes, each for one holder: there a shared lock is any one of many bytes, and one alone is all
of them.
"""

from __future__ import annotations

import errno
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

__all__ = ["NoLocks", "take_lock", "try_lock"]

BYTES = 256
"""As many may share a lock on Windows."""
POLL_SECONDS = 0.1
HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
"""What says that somebody stands against it: the last two as Windows says it."""
ABSENT = frozenset({errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What network and user-space file systems say that have no locks."""


class NoLocks(OSError):
    """The file system has no locks."""


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Take a lock, alone or shared, or return None at once if somebody stands against it.

    Returns a file descriptor; closing it gives the lock back.

    Raises:
        NoLocks: the file system has none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        taken = take_lock(handle, shared=shared)
    except BaseException:
        os.close(handle)
        raise
    if taken:
        return handle
    os.close(handle)
    return None


def take_lock(handle: int, *, shared: bool = False, wait: bool = False) -> bool:
    """Lock an open file; return False if somebody stands against it, unless that is to `wait`.

    Raises:
        NoLocks: the file system has none.
    """
    try:
        import fcntl
    except ImportError:
        return _take_bytes(handle, shared=shared, wait=wait)
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    return _tried(fcntl.flock, handle, how)


def _take_bytes(handle: int, *, shared: bool, wait: bool) -> bool:
    windows: Any = __import__("msvcrt")  # typed for Windows alone
    places = range(BYTES) if shared else (0,)
    count = 1 if shared else BYTES

    def lock(place: int) -> None:
        os.lseek(handle, place, os.SEEK_SET)
        windows.locking(handle, windows.LK_NBLCK, count)

    while not (taken := any(_tried(lock, place) for place in places)) and wait:
        time.sleep(POLL_SECONDS)
    return taken


def _tried(lock: Callable[..., object], *arguments: int) -> bool:
    try:
        lock(*arguments)
    except OSError as error:
        if error.errno in HELD:
            return False
        if error.errno in ABSENT:
            raise NoLocks(error.errno, error.strerror) from None
        raise
    return True
