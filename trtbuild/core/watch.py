"""What this process looks at while it is watched, and whether it does more than look.

Files that are opened and folders that are listed are heard of, whoever does it (PEP 578). Whoever
asks only whether a path is there, or how large it is, says so with `note_path`: that makes no
sound.
Loads nothing: `typing` and `pathlib` alone would take longer than all that a kept answer needs.
"""

from __future__ import annotations

import os
import stat
import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

__all__ = [
    "LINK",
    "NO_DEVICES",
    "Watch",
    "describe_devices",
    "describe_link",
    "describe_state",
    "exclude",
    "find_last_change",
    "look_apart",
    "make_absolute",
    "note_driver",
    "note_elsewhere",
    "note_path",
    "note_until",
    "note_variable",
]

ACTS = (
    "os.exec", "os.fork", "os.forkpty", "os.link", "os.posix_spawn", "os.rename", "os.remove",
    "os.rmdir", "os.spawn", "os.symlink", "os.system", "os.truncate", "shutil.rmtree",
    "socket.connect", "socket.getaddrinfo", "subprocess.Popen",
)  # fmt: skip
"""What is no mere looking: files change, processes start, others are asked."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PROBE, COMPILED = ".probe-", "__pycache__"
LOCKS = frozenset({".lock", "in-use"})
LINK = " -> "
"""Stands before where a link leads."""
DEVICES = ("dxg", "nvgpu", "nvhost", "nvidia", "nvmap")
DRIVER = "/proc/driver/nvidia"
NO_DEVICES = "devices:\n"
"""What `describe_devices` says where there are none."""


class Watch:
    """All that a `with` block looks at."""

    def __init__(self) -> None:
        self.looks: dict[str, str] = {}
        """What was seen of each path when it was looked at first."""
        self.folders: set[str] = set()
        """Those of them that were listed."""
        self.writable: set[str] = set()
        """Folders that were tried for whether they can be written to."""
        self.locks: set[str] = set()
        """Lock files that were taken."""
        self.variables: set[str] = set()
        """Variables of the environment that were asked for by name."""
        self.devices = ""
        """What the kernel showed of GPUs; empty where nobody asked for one."""
        self.until = float("inf")
        """When what was found may change by itself, in seconds since the epoch."""
        self.doubt = ""
        """Why what was seen does not stand for what was found; empty where it does."""
        self._unread: set[str] = set()

    def __enter__(self) -> Self:
        _listen()
        _watching.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Look away."""
        _watching.remove(self)

    def see(self, path: str | bytes | os.PathLike[str]) -> str:
        """Look at a path, unless that was done before; return the path made absolute."""
        whole = make_absolute(path)
        if whole not in self.looks and whole not in self._unread:
            self.looks[whole] = describe_state(whole)
        return whole

    def leave_out(self, path: str | os.PathLike[str]) -> None:
        """Pass over a file, whatever it holds."""
        self._unread.add(make_absolute(path))


_watching: list[Watch] = []
_listening: list[bool] = []
_apart: set[int] = set()
"""Threads whose doings are no part of what a command finds out."""


def make_absolute(path: str | bytes | os.PathLike[str]) -> str:
    """Return a path from the root on, with every `..` in it.

    Behind a link, `..` is what lies above the end of that link: only the kernel can take it away.
    """
    text = os.fsdecode(path)
    if text.startswith(os.sep):
        return text
    here = os.getcwd()  # noqa: PTH109
    return here if text == "." else os.path.join(here, text)  # noqa: PTH118


def describe_state(path: str) -> str:
    """Return what tells one state of a file or folder from another without reading it.

    Of a link that is also where it leads.
    """
    link = ""
    try:
        seen = os.lstat(path)
        if stat.S_ISLNK(seen.st_mode):
            link = describe_link(path)
            seen = os.stat(path)  # noqa: PTH116
    except OSError as error:
        return f"-{error.errno}{link}"
    numbers = seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_dev
    return " ".join(map(str, numbers)) + link


def describe_link(path: str) -> str:
    """Return where a link leads, and since when; nothing where there is no link."""
    try:
        target = os.readlink(path)  # noqa: PTH115
        seen = os.lstat(path)
    except OSError:
        return ""
    return f"{LINK}{seen.st_mtime_ns} {seen.st_ctime_ns} {target}"


def find_last_change(state: str) -> int:
    """Return when what a state is of was changed last, in nanoseconds; 0 of what is not there."""
    seen, _, link = state.partition(LINK)
    times = [*seen.split()[1:3], *link.split()[:2]]
    return max(map(int, times), default=0)


def look_apart() -> None:
    """Say that what this thread does is no part of what a command finds out.

    It is to live as long as the process: another may be called by its number later.
    """
    _apart.add(get_ident())


def note_path(path: str | os.PathLike[str]) -> None:
    """Say that it matters whether a path is there, or what its size and times are."""
    for watch in _watching:
        watch.see(path)


def exclude(path: str | os.PathLike[str]) -> None:
    """Say that what a file holds does not matter: it only saves time."""
    for watch in _watching:
        watch.leave_out(path)


def note_until(seconds: float) -> None:
    """Say that what was found holds until then, in seconds since the epoch."""
    for watch in _watching:
        watch.until = min(watch.until, seconds)


def note_variable(name: str) -> None:
    """Say that it matters what a variable of the environment is."""
    for watch in _watching:
        watch.variables.add(name)


def note_elsewhere(what: str) -> None:
    """Say that what was found rests on other machines, which nobody watches."""
    for watch in _watching:
        watch.doubt = what


def note_driver(*, found: bool) -> None:
    """Say that it matters which GPU there is, and whether one was found."""
    watching, _watching[:] = _watching[:], []  # what the kernel shows has no times to go by
    try:
        for watch in watching:
            watch.devices = describe_devices()
            if found:
                watch.looks.update((path, describe_state(path)) for path in _libraries())
            elif watch.devices != NO_DEVICES:
                watch.doubt = "there are devices, and no driver that shows a GPU"
    finally:
        _watching[:] = watching


def describe_devices() -> str:
    """Return what the kernel shows of GPUs: device files, and the driver's own words."""
    files = [name for name in _names("/dev") if name.startswith(DEVICES)]
    words = [_text(f"{DRIVER}/gpus/{name}/information") for name in _names(f"{DRIVER}/gpus")]
    return "\n".join(["devices:", *files, *words, _text(f"{DRIVER}/version")])


def _libraries() -> set[str]:
    """Return the files of NVIDIA's driver that this process has loaded."""
    lines = _text("/proc/self/maps").splitlines()
    return {line.split(None, 5)[-1] for line in lines if "libcuda.so" in line}


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""


def _listen() -> None:
    if not _listening:
        sys.addaudithook(_hear)  # can't be taken back: it asks first whether anybody watches
        _listening.append(True)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in _HEARD and get_ident() not in _apart:
        for watch in _watching:
            _HEARD[event](watch, event, arguments)


def _opened(watch: Watch, event: str, arguments: tuple[Any, ...]) -> None:
    path, _, flags = arguments
    if not isinstance(path, str | bytes) or _is_python_s_own(path):
        return
    if not flags & WRITING:
        watch.see(path)
        return
    whole = make_absolute(path)
    place, _, name = whole.rpartition(os.sep)
    if name.startswith(PROBE):
        watch.writable.add(place)
    elif name in LOCKS:
        watch.locks.add(whole)
    else:
        _acted(watch, event, arguments)


def _listed(watch: Watch, _: str, arguments: tuple[Any, ...]) -> None:
    path = "." if arguments[0] is None else arguments[0]
    if isinstance(path, str | bytes):
        watch.folders.add(watch.see(path))


def _made(watch: Watch, event: str, arguments: tuple[Any, ...]) -> None:
    if not os.path.isdir(arguments[0]):  # noqa: PTH112  # else it is there, and nothing is done
        _acted(watch, event, arguments)


def _acted(watch: Watch, event: str, arguments: tuple[Any, ...]) -> None:
    what = arguments[0] if arguments else ""
    path = os.fsdecode(what) if isinstance(what, str | bytes) else ""
    if not _is_python_s_own(path) and not path.rpartition(os.sep)[2].startswith(PROBE):
        watch.doubt = f"{event} {path}"


def _is_python_s_own(path: str | bytes) -> bool:
    text = os.fsdecode(path)
    return COMPILED in text or text == os.devnull


_HEARD: dict[str, Callable[[Watch, str, tuple[Any, ...]], None]] = {
    "open": _opened,
    "os.listdir": _listed,
    "os.scandir": _listed,
    "os.mkdir": _made,
    **dict.fromkeys(ACTS, _acted),
}
