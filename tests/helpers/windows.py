"""A system without what only POSIX has: `python tests/helpers/windows.py validate recipe.yaml`.

Modules are hidden and functions taken away that Python lacks on Windows; byte locks stand in for
those of Windows, with its rule that a byte is locked for one open file alone.
"""

from __future__ import annotations

import errno
import fcntl
import importlib.abc
import os
import platform
import signal
import struct
import sys
from types import ModuleType

# What is built in finds out by itself where it is, while it is imported.
import multiprocessing  # noqa: F401  # isort: skip
import random  # noqa: F401  # isort: skip
import selectors  # noqa: F401  # isort: skip
import shutil  # noqa: F401  # isort: skip
import subprocess  # noqa: F401  # isort: skip
import tempfile  # noqa: F401  # isort: skip

__all__ = ["byte_locks", "leave_posix"]

MODULES = frozenset({"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"})
OF_OS = (
    "chown", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg",
    "getpgid", "getsid", "getuid", "killpg", "lchown", "mkfifo", "nice", "openpty", "pipe2",
    "posix_spawn", "posix_spawnp", "pread", "pwrite", "register_at_fork", "sched_getaffinity",
    "sendfile", "setsid", "statvfs", "sync", "sysconf", "wait3", "wait4", "waitid",
    "O_CLOEXEC", "O_DIRECT", "O_DIRECTORY", "O_DSYNC", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK",
    "O_PATH", "O_SYNC", "O_TMPFILE",
)  # fmt: skip
SIGNALS = ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2")
"""But for SIGKILL, which `subprocess` ends a process with, on every system but Windows."""


def byte_locks() -> ModuleType:
    """Return a module `msvcrt` that locks bytes from where an open file stands."""
    module = ModuleType("msvcrt")
    module.LK_NBLCK = 2

    def locking(handle: int, mode: int, count: int) -> None:
        assert module.LK_NBLCK == mode
        at = os.lseek(handle, 0, os.SEEK_CUR)
        whole = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, at, count, 0)
        try:
            fcntl.fcntl(handle, fcntl.F_OFD_SETLK, whole)
        except OSError:
            raise OSError(errno.EACCES, "Permission denied") from None

    module.locking = locking
    return module


class Hidden(importlib.abc.MetaPathFinder):
    """Finds nothing under the names that are hidden."""

    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def leave_posix() -> None:
    """Make this process look as on Windows to whatever is imported from now on."""
    sys.modules["msvcrt"] = byte_locks()
    sys.meta_path.insert(0, Hidden())
    for name in MODULES:
        sys.modules.pop(name, None)
    for holder, names in ((os, OF_OS), (signal, SIGNALS)):
        for name in names:
            if hasattr(holder, name):
                delattr(holder, name)
    platform.system = lambda: "Windows"


if __name__ == "__main__":
    leave_posix()
    from trtbuild.cli.start import main

    main()
