"""What code opens, lists, asks for and loads while it is listened to (PEP 578).

Processes that it forks are listened to as well, and write down what they do.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from trtbuild.core.native_reads import NativeReads
from trtbuild.core.provenance import is_installed, is_of_the_system, is_ours, is_standard

__all__ = ["GONE", "Listener", "describe", "listening"]

GONE = "absent"
WRITES = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LOCAL = ("AF_UNIX", "AF_NETLINK")
METADATA = f"importlib{os.sep}metadata"
HARMLESS = ("ctypes/util.py", "platform.py", "uuid.py")
"""Where Python's library asks the machine what it is, by starting a program."""
_stat, _access = os.stat, os.access


class Listener:
    """All that code was heard to do, by the paths that it did it to."""

    def __init__(self, spool: Path) -> None:
        """Let processes that are forked meanwhile write what they do into `spool`."""
        self.files: dict[str, str] = {}
        """Files that were opened for reading, and what they were then (see `describe`)."""
        self.folders: set[str] = set()
        self.asked: set[str] = set()
        """Paths that were only asked for: whether they are there."""
        self.asked_by_others: set[str] = set()
        """Those that installed libraries asked for, often to find out where they are."""
        self.written: set[str] = set()
        self.made: set[str] = set()
        """Folders that were made."""
        self.changed: set[str] = set()
        """Files that were not the same each time they were opened."""
        self.modules: set[str] = set()
        """Modules that code of the user's loaded by name."""
        self.roots: dict[str, None] = {}
        """Folders that were imported from, in order."""
        self.hosts: set[str] = set()
        self.programs: set[str] = set()
        self.native = NativeReads()
        self._spool = spool
        self._handle = os.open(spool, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def hear(self, what: str, text: str, state: str = "") -> None:
        """Take something in; from a process that was forked, by way of the spool."""
        if os.getpid() != self._pid:
            os.write(self._handle, f"{json.dumps([what, text, state])}\n".encode())
            return
        if what in ("files", "asked", "folders"):
            self.native.watch(text if what == "folders" else os.path.dirname(text))  # noqa: PTH120
        with self._lock:
            self._take(what, text, state)

    def _take(self, what: str, text: str, state: str) -> None:
        if what == "files":
            if self.files.setdefault(text, state) != state:
                self.changed.add(text)
        elif what == "roots":
            self.roots.setdefault(text)
        else:
            getattr(self, what).add(text)

    def close(self) -> None:
        """Take in what forked processes have written down."""
        self.native.close()
        os.close(self._handle)
        for line in self._spool.read_text().splitlines():
            with contextlib.suppress(ValueError):
                self._take(*json.loads(line))
        self._spool.unlink()


_heard_by: list[Listener] = []
_hooked: list[bool] = []


def describe(path: str) -> str:
    """Return what tells one state of a file from another without reading it."""
    try:
        seen = _stat(path)
    except (OSError, ValueError):
        return GONE
    return f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} {seen.st_ino}"


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Listen to all that this process does."""
    if not _hooked:
        sys.addaudithook(_hear)
        _hooked.append(True)
    _heard_by.append(listener)
    os.stat, os.access = _stat_heard, _access_heard
    for known in (os.supports_follow_symlinks, os.supports_dir_fd, os.supports_fd):
        known.add(_stat_heard)  # who looks up what it can do finds the same as before
    try:
        yield
    finally:
        os.stat, os.access = _stat, _access
        _heard_by.remove(listener)
        listener.close()


def _stat_heard(path: Any, *args: Any, **options: Any) -> os.stat_result:
    _asked(path, options)
    return _stat(path, *args, **options)


def _access_heard(path: Any, *args: Any, **options: Any) -> bool:
    _asked(path, options)
    return _access(path, *args, **options)


def _asked(path: Any, options: dict[str, Any]) -> None:
    if not _heard_by or isinstance(path, int) or options.get("dir_fd") is not None:
        return
    with contextlib.suppress(TypeError, ValueError):
        whole = _whole(os.fspath(path))
        if _counts(whole) and not (asker := _find_asker(sys._getframe(3))).startswith("<"):  # noqa: SLF001
            _heard_by[-1].hear("asked" if not is_installed(asker) else "asked_by_others", whole)


def _find_asker(frame: Any) -> str:
    """Return the file of the code that calls Python's library; `<` where it is none of the user's.

    What finds distributions looks into every folder that there is.
    """
    while frame is not None:
        file = frame.f_code.co_filename
        if is_ours(file) or METADATA in file or _is_of_importlib(frame):
            return "<"
        if not is_standard(file):
            return str(file)
        frame = frame.f_back
    return "<"


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard_by and event in _HEARD:
        _HEARD[event](_heard_by[-1], arguments)


def _whole(path: str | bytes) -> str:
    text = os.fsdecode(path)
    if not os.path.isabs(text):  # noqa: PTH117
        text = os.path.join(os.getcwd(), text)  # noqa: PTH109, PTH118
    # Not `abspath` where there is a `..`: behind a link it is not the folder above.
    return text if ".." in text else os.path.normpath(text)


def _counts(path: str) -> bool:
    if "__pycache__" in path or is_of_the_system(path) or is_ours(path):
        return False
    return is_installed(path) or not is_standard(path)


def _opened(listener: Listener, arguments: tuple[Any, ...]) -> None:
    path, _, flags = arguments
    if not isinstance(path, str | bytes):
        return
    whole = _whole(path)
    if not _counts(whole):
        return
    if not flags & WRITES:
        listener.hear("files", whole, describe(whole))
    if flags & (WRITES | os.O_RDWR):
        listener.hear("written", whole)


def _listed(listener: Listener, arguments: tuple[Any, ...]) -> None:
    path = "." if arguments[0] is None else arguments[0]
    if not isinstance(path, str | bytes) or _find_asker(sys._getframe(2)).startswith("<"):  # noqa: SLF001
        return
    whole = _whole(path)
    if _counts(whole) and not is_installed(whole):
        listener.hear("folders", whole)


def _is_of_importlib(frame: Any) -> bool:
    file = frame.f_code.co_filename
    return bool(file.startswith("<frozen importlib") or file.endswith("importlib/__init__.py"))


def _made(listener: Listener, arguments: tuple[Any, ...]) -> None:
    if isinstance(arguments[0], str | bytes):
        whole = _whole(arguments[0])
        if not os.path.lexists(whole):
            listener.hear("made", whole)


def _renamed(listener: Listener, arguments: tuple[Any, ...]) -> None:
    for path in arguments[:2]:
        if isinstance(path, str | bytes):
            listener.hear("written", _whole(path))


def _imported(listener: Listener, arguments: tuple[Any, ...]) -> None:
    name, file, *_ = arguments
    if isinstance(file, str) and os.path.isabs(file) and _counts(file):  # noqa: PTH117
        listener.hear("files", file, describe(file))
    for path in sys.path:
        if path not in listener.roots:
            listener.hear("roots", path)
    frame: Any = sys._getframe(2)  # noqa: SLF001
    while frame is not None and _is_of_importlib(frame):
        frame = frame.f_back
    at = frame.f_code.co_filename if frame is not None else "<"
    if not is_standard(at) and not is_installed(at) and not is_ours(at):
        listener.hear("modules", name.partition(".")[0])


def _loaded(listener: Listener, arguments: tuple[Any, ...]) -> None:
    name = arguments[0]
    if isinstance(name, str) and os.sep in name:
        whole = _whole(name)
        if _counts(whole):
            listener.hear("files", whole, describe(whole))


def _connected_to_file(listener: Listener, arguments: tuple[Any, ...]) -> None:
    if isinstance(arguments[0], str) and os.path.isfile(arguments[0]):  # noqa: PTH113
        whole = _whole(arguments[0])
        listener.hear("files", whole, describe(whole))


def _connected(listener: Listener, arguments: tuple[Any, ...]) -> None:
    socket, address = arguments
    if getattr(socket.family, "name", "") not in LOCAL and isinstance(address, tuple):
        listener.hear("hosts", str(address[0]))


def _looked_up(listener: Listener, arguments: tuple[Any, ...]) -> None:
    if isinstance(arguments[0], str) and arguments[0] not in ("", "localhost"):
        listener.hear("hosts", arguments[0])


def _started(listener: Listener, arguments: tuple[Any, ...]) -> None:
    frame: Any = sys._getframe(2)  # noqa: SLF001
    while frame is not None:
        if frame.f_code.co_filename.endswith(HARMLESS):
            return
        frame = frame.f_back
    name = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else "a program"
    listener.hear("programs", os.path.basename(name.split()[0]) if name.strip() else "a program")  # noqa: PTH119


_HEARD: dict[str, Callable[[Listener, tuple[Any, ...]], None]] = {
    "open": _opened,
    "os.listdir": _listed,
    "os.scandir": _listed,
    "os.mkdir": _made,
    "os.rename": _renamed,
    "import": _imported,
    "ctypes.dlopen": _loaded,
    "sqlite3.connect": _connected_to_file,
    "socket.connect": _connected,
    "socket.getaddrinfo": _looked_up,
    **dict.fromkeys(
        ("os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"), _started
    ),
}
