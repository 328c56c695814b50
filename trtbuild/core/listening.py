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
from urllib.parse import unquote

from trtbuild.core.asking import (
    asking,
    complete_path,
    find_asker,
    find_open_path,
    is_counted,
    is_of_importlib,
    list_names_around,
    list_what_matters,
)
from trtbuild.core.entries import list_entries
from trtbuild.core.native_reads import NativeReads
from trtbuild.core.provenance import is_installed, is_ours, is_standard

__all__ = ["GONE", "CodeListener", "describe", "list_names", "listening"]

GONE = "absent"
WRITES = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LOCAL = ("AF_UNIX", "AF_NETLINK")
HARMLESS = ("ctypes/util.py", "platform.py", "uuid.py")
"""Where Python's library asks the machine what it is, by starting a program."""
_stat = os.stat


class CodeListener:
    """All that code was heard to do, by the paths that it did it to."""

    def __init__(self, spool: Path) -> None:
        """Let processes that are forked meanwhile write what they do into `spool`."""
        self.files: dict[str, str] = {}
        """Files that were opened for reading, and what they were then (see `describe`)."""
        self.folders: set[str] = set()
        self.listings: dict[str, str] = {}
        """What lay in them when they were first listed (see `list_names`)."""
        self.asked: set[str] = set()
        """Paths that were only asked for: whether they are there."""
        self.asked_by_others: set[str] = set()
        """Those that installed libraries asked for, often to find out where they are."""
        self.sizes: set[str] = set()
        self.times: set[str] = set()
        """Paths of which it was asked when they changed last."""
        self.modes: set[str] = set()
        """Paths of which it was asked who may do what with them."""
        self.accesses: set[str] = set()
        """Paths of which it was asked whether they may be read, written to, run: `rw /a/b`."""
        self.links: set[str] = set()
        """Paths of which it was asked whether they are links, and where these lead."""
        self.written: set[str] = set()
        self.made: set[str] = set()
        """Folders that were made."""
        self.temporary: set[str] = set()
        """Those of them whose names nobody has chosen."""
        self.changed: set[str] = set()
        """Files that were not the same each time they were opened."""
        self.modules: set[str] = set()
        """Modules that code of the user's loaded by name, or looked for."""
        self.inner: set[str] = set()
        """Those of them that lie in packages, by their full names."""
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
        if what in ("files", "asked", "folders", "links"):
            self.native.watch(text if what == "folders" else os.path.dirname(text))  # noqa: PTH120
        with self._lock:
            self._take(what, text, state)

    def _take(self, what: str, text: str, state: str) -> None:
        if what == "files":
            if self.files.setdefault(text, state) != state:
                self.changed.add(text)
        elif what == "listings":
            self.listings.setdefault(text, state)
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


_heard_by: list[CodeListener] = []
_hooked: list[bool] = []


def describe(path: str) -> str:
    """Return what tells one state of a file from another without reading it."""
    try:
        seen = _stat(path)
    except (OSError, ValueError):
        return GONE
    return f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} {seen.st_ino}"


def list_names(folder: str) -> str:
    """Return what lies in a folder, sorted and parted by NULs; nothing where it is gone."""
    try:
        return "\0".join(sorted(list_entries(folder).values()))
    except (OSError, ValueError):
        return ""


@contextlib.contextmanager
def listening(listener: CodeListener) -> Iterator[None]:
    """Listen to all that this process does."""
    if not _hooked:
        sys.addaudithook(_hear)
        _hooked.append(True)
    _heard_by.append(listener)

    def hear(what: str, path: str) -> None:
        listener.hear(what, path, describe(path) if what == "files" else "")

    try:
        with asking(hear, lambda name: _named(listener, name)):
            yield
    finally:
        _heard_by.remove(listener)
        listener.close()


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard_by and event in _HEARD:
        _HEARD[event](_heard_by[-1], arguments)


def _opened(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    path, _, flags = arguments
    if not isinstance(path, str | bytes):
        return
    whole = complete_path(path)
    if not is_counted(whole):
        return
    # `a+` reads what was there before, `w+` does not.
    if not flags & WRITES or (flags & os.O_RDWR and not flags & (os.O_TRUNC | os.O_EXCL)):
        listener.hear("files", whole, describe(whole))
    if flags & (WRITES | os.O_RDWR):
        listener.hear("written", whole)


def _listed(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    path = "." if arguments[0] is None else arguments[0]
    if isinstance(path, int):
        with contextlib.suppress(OSError):
            path = find_open_path(path)
    asker, called, _ = find_asker(sys._getframe(2))  # noqa: SLF001
    if not isinstance(path, str | bytes) or asker.startswith("<"):
        return
    whole = complete_path(path)
    if is_counted(whole) and not is_installed(whole):
        listener.hear("folders", whole)
        if whole not in listener.listings:
            listener.hear("listings", whole, list_names(whole))
        names = () if called or is_installed(asker) else list_names_around(sys._getframe(2))  # noqa: SLF001
        if "stat" in names:  # of each entry
            for name in os.listdir(whole):  # noqa: PTH208
                for what in list_what_matters(called, names):
                    listener.hear(what, os.path.join(whole, name))  # noqa: PTH118


def _made(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    frame: Any = sys._getframe(2)  # noqa: SLF001
    if isinstance(arguments[0], str | bytes):
        whole = complete_path(arguments[0])
        if frame.f_code.co_filename.endswith("tempfile.py"):
            listener.hear("temporary", whole)
        if not os.path.lexists(whole):
            listener.hear("made", whole)


def _renamed(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    for path in arguments[:2]:
        if isinstance(path, str | bytes):
            listener.hear("written", complete_path(path))


def _imported(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    name, file, *_ = arguments
    if isinstance(file, str) and os.path.isabs(file) and is_counted(file):  # noqa: PTH117
        listener.hear("files", file, describe(file))
    frame: Any = sys._getframe(2)  # noqa: SLF001
    while frame is not None and is_of_importlib(frame):
        frame = frame.f_back
    at = frame.f_code.co_filename if frame is not None else "<"
    if not is_standard(at) and not is_installed(at) and not is_ours(at):
        _named(listener, name)
    else:
        _rooted(listener)


def _named(listener: CodeListener, name: str) -> None:
    _rooted(listener)
    listener.hear("modules", name.partition(".")[0])
    if "." in name:
        listener.hear("inner", name)


def _rooted(listener: CodeListener) -> None:
    for path in sys.path:
        if path not in listener.roots:
            listener.hear("roots", path)


def _loaded(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    name = arguments[0]
    if isinstance(name, str) and os.sep in name:
        whole = complete_path(name)
        if is_counted(whole):
            listener.hear("files", whole, describe(whole))


def _connected_to_file(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    name = arguments[0]
    if isinstance(name, str) and name.startswith("file:"):
        name = unquote(name.removeprefix("file:").partition("?")[0])
        name = os.sep + name.lstrip(os.sep) if name.startswith(os.sep) else name
    if isinstance(name, str) and os.path.isfile(name):  # noqa: PTH113
        whole = complete_path(name)
        listener.hear("files", whole, describe(whole))


def _connected(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    socket, address = arguments
    if getattr(socket.family, "name", "") not in LOCAL and isinstance(address, tuple):
        listener.hear("hosts", str(address[0]))


def _looked_up(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    if isinstance(arguments[0], str) and arguments[0] not in ("", "localhost"):
        listener.hear("hosts", arguments[0])


def _started(listener: CodeListener, arguments: tuple[Any, ...]) -> None:
    frame: Any = sys._getframe(2)  # noqa: SLF001
    while frame is not None:
        if frame.f_code.co_filename.endswith(HARMLESS):
            return
        frame = frame.f_back
    name = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else "a program"
    listener.hear("programs", os.path.basename(name.split()[0]) if name.strip() else "a program")  # noqa: PTH119


_HEARD: dict[str, Callable[[CodeListener, tuple[Any, ...]], None]] = {
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
