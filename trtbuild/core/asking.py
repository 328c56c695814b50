"""What code asks `os` and `importlib` that no audit event tells of (PEP 578).

Whether a path is there, how large it is, when it changed, where a link leads, and whether a module
could be imported: the functions that answer are replaced while it is listened to.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType
from typing import Any

from trtbuild.core.provenance import is_installed, is_of_the_system, is_ours, is_standard

__all__ = [
    "ACCESS",
    "asking",
    "complete_path",
    "find_asker",
    "find_open_path",
    "is_counted",
    "is_of_importlib",
    "list_names_around",
    "list_what_matters",
]

METADATA = f"importlib{os.sep}metadata"
SIZE, TIMES = "getsize", ("getmtime", "getatime", "getctime")
STATES = ("stat", "lstat")
OF_TIMES = ("st_mtime", "st_mtime_ns", "st_ctime", "st_ctime_ns", "st_atime", "st_atime_ns")
OF_MODES = ("st_mode",)
OF_KINDS = ("S_ISDIR", "S_ISREG", "S_ISLNK", "S_IFMT")
"""What of a mode is taken where no more of it is: whether there is a folder, a file or a link."""
OF_OTHERS = ("st_size", "st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid")
WAYS = (os.supports_follow_symlinks, os.supports_dir_fd, os.supports_fd)

ACCESS = {"r": os.R_OK, "w": os.W_OK, "x": os.X_OK}
NATIVE = sys.modules["nt" if os.name == "nt" else "posix"]
"""Where `os` has its functions from: code may ask there."""

Hear = Callable[[str, str], None]


def complete_path(path: str | bytes, folder: int | None = None) -> str:
    """Return a path from the root on, be it from an open folder."""
    text = os.fsdecode(path)
    if not os.path.isabs(text):  # noqa: PTH117
        base = os.getcwd() if folder is None else find_open_path(folder)  # noqa: PTH109
        text = os.path.join(base, text)  # noqa: PTH118
    # Not `abspath` where there is a `..`: behind a link it is not the folder above.
    return text if ".." in text else os.path.normpath(text)


def find_open_path(number: int) -> str:
    """Return the path of an open file or folder, where the kernel tells.

    Raises:
        OSError: it does not.
    """
    return _readlink(f"/proc/self/fd/{number}")


def is_counted(path: str) -> bool:
    """Tell whether code may rest on a path."""
    if "__pycache__" in path or is_of_the_system(path) or is_ours(path):
        return False
    return is_installed(path) or not is_standard(path)


def list_names_around(frame: Any) -> tuple[str, ...]:
    """Return the names that the module uses whose code calls Python's library: its functions too.

    What one of them takes of an entry of a folder may be listed by another.
    """
    while frame is not None and is_standard(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return ()
    things = list(frame.f_globals.values())
    things += [each for thing in things if isinstance(thing, type) for each in vars(thing).values()]
    codes = {frame.f_code, *(getattr(each, "__code__", None) for each in things)}
    file = frame.f_code.co_filename
    own = [each for each in codes if isinstance(each, CodeType) and each.co_filename == file]
    return tuple(name for each in own for name in _names_in(each))


def find_asker(frame: Any) -> tuple[str, str, tuple[str, ...]]:
    """Return the file of the code that calls Python's library, what it calls, and names it uses.

    The file is `<` where it is none of the user's: what finds distributions looks into every
    folder that there is.
    """
    called = ""
    while frame is not None:
        file = frame.f_code.co_filename
        if is_ours(file) or METADATA in file or is_of_importlib(frame):
            break
        if not is_standard(file):
            return file, called, _names_in(frame.f_code)
        called = frame.f_code.co_name
        frame = frame.f_back
    return "<", called, ()


@cache
def _names_in(code: CodeType) -> tuple[str, ...]:
    """Return the names that code uses, that of functions and comprehensions in it too."""
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return (*code.co_names, *(name for each in inner for name in _names_in(each)))


def is_of_importlib(frame: Any) -> bool:
    """Tell whether code is what imports modules."""
    file = frame.f_code.co_filename
    return bool(file.startswith("<frozen importlib") or file.endswith("importlib/__init__.py"))


@contextlib.contextmanager
def asking(hear: Hear, hear_module: Callable[[str], None]) -> Iterator[None]:
    """Say what is asked while the block runs, by the words that `CodeListener` has for it."""
    _hears.append((hear, hear_module))
    for module in (os, NATIVE):
        for name, heard in _HEARD.items():
            setattr(module, name, heard)
    importlib.util.find_spec = _find_spec_heard
    try:
        yield
    finally:
        for module in (os, NATIVE):
            for name, real in _REAL.items():
                setattr(module, name, real)
        importlib.util.find_spec = _find_spec
        _hears.pop()


_hears: list[tuple[Hear, Callable[[str], None]]] = []
_stat, _lstat, _access, _readlink, _open = os.stat, os.lstat, os.access, os.readlink, os.open
_find_spec = importlib.util.find_spec
_REAL = {"stat": _stat, "lstat": _lstat, "access": _access, "readlink": _readlink, "open": _open}


def _stat_heard(path: Any, *args: Any, **options: Any) -> os.stat_result:
    _asked(path, options, link=not options.get("follow_symlinks", True))
    return _stat(path, *args, **options)


def _lstat_heard(path: Any, *args: Any, **options: Any) -> os.stat_result:
    _asked(path, options, link=True)
    return _lstat(path, *args, **options)


def _access_heard(path: Any, mode: int, **options: Any) -> bool:
    _asked(path, options, mode=mode)
    return _access(path, mode, **options)


def _readlink_heard(path: Any, *args: Any, **options: Any) -> Any:
    _asked(path, options, link=True)
    return _readlink(path, *args, **options)


def _open_heard(path: Any, flags: int, *args: Any, **options: Any) -> int:
    """Tell of a file in an open folder; the event tells only its name."""
    if options.get("dir_fd") is not None and not flags & (os.O_WRONLY | os.O_CREAT):
        with contextlib.suppress(TypeError, ValueError, OSError):
            whole = complete_path(os.fspath(path), options["dir_fd"])
            if _hears and is_counted(whole) and not os.path.isdir(whole):  # noqa: PTH112
                _hears[-1][0]("files", whole)
    return _open(path, flags, *args, **options)


def _find_spec_heard(name: str, package: str | None = None) -> Any:
    if _hears:
        asker, _, _ = find_asker(sys._getframe(1))  # noqa: SLF001
        if not asker.startswith("<") and not is_installed(asker):
            full = importlib.util.resolve_name(name, package) if name.startswith(".") else name
            _hears[-1][1](full)
    return _find_spec(name, package)


def _asked(
    path: Any, options: dict[str, Any], *, link: bool = False, mode: int | None = None
) -> None:
    """Say what is asked of a path, with a `mode` what may be done with it."""
    if not _hears or isinstance(path, int) or is_of_importlib(sys._getframe(2)):  # noqa: SLF001
        return
    with contextlib.suppress(TypeError, ValueError, OSError):
        whole = complete_path(os.fspath(path), options.get("dir_fd"))
        if not is_counted(whole):
            return
        asker, called, names = find_asker(sys._getframe(2))  # noqa: SLF001
        if asker.startswith("<"):
            return
        hear = _hears[-1][0]
        if is_installed(asker):
            hear("asked_by_others", whole)
        elif link:
            hear("links", whole)
        else:
            hear("asked", whole)
            for what in () if mode is not None else list_what_matters(called, names):
                hear(what, whole)
            if letters := "".join(name for name, bit in ACCESS.items() if mode and mode & bit):
                hear("accesses", f"{letters} {whole}")


def list_what_matters(called: str, names: tuple[str, ...]) -> Iterator[str]:
    """Yield what matters of a file beside that it is there, by what is called and what is taken."""
    taken = called in ("", *STATES)
    all_of_it = taken and not _any((*OF_TIMES, *OF_OTHERS), names)
    if called == SIZE or all_of_it or (taken and "st_size" in names):
        yield "sizes"
    if taken and _any(OF_MODES, names) and not _any(OF_KINDS, names):
        yield "modes"
    if called in TIMES or all_of_it or (taken and _any(OF_TIMES, names)):
        yield "times"


def _any(some: tuple[str, ...], names: tuple[str, ...]) -> bool:
    return not frozenset(some).isdisjoint(names)


_HEARD: dict[str, Callable[..., Any]] = {
    "stat": _stat_heard,
    "lstat": _lstat_heard,
    "access": _access_heard,
    "readlink": _readlink_heard,
    "open": _open_heard,
}
for _known in WAYS:  # who looks up what it can do finds the same as before
    _known.update(_HEARD[name] for name, real in _REAL.items() if real in _known)
