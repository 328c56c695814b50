"""What a command said, kept with all that it looked at, to be said again while none of it moves.

A stamp is kept of a run that changed nothing, and only where nothing it looked at had changed in
the two seconds before it began: so no change can hide in the granularity of the clock, and none
that came during the run goes unseen. It is a file in the store; losing it only costs time.
"""

from __future__ import annotations

import os
import sys
import time
import zlib

from trtbuild import __version__
from trtbuild.core.locations import find_store_root
from trtbuild.core.watch import Watch, describe_devices, describe_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Answer", "keep_answer", "make_key", "recall_answer"]

Answer = list[tuple[str, str]]
"""What was written, in order: `out` or `err`, and the text."""

SETTLED_SECONDS = 2
MOST_BYTES = 64 << 20
MOST_STAMPS = 1000
"""How many are kept; the oldest goes first."""
SECTION, FIELD = "\x1c", "\0"
ENVIRONMENT = (
    "CUDA_", "HOME", "LANG", "LC_", "LD_", "NVIDIA_", "PYTHON", "TRTBUILD_", "XDG_",
)  # fmt: skip
"""Beginnings of the variables that an answer may depend on."""
NANOSECONDS = 1_000_000_000


def make_key(arguments: Sequence[str]) -> list[str] | None:
    """Return all that tells one command from another; None where that cannot be told."""
    try:
        folder = os.getcwd()  # noqa: PTH109
    except OSError:
        return None
    variables = (f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith(ENVIRONMENT))
    if not hasattr(os, "getuid"):
        return None  # Windows: no file has a time of its last change that nobody can set
    machine = os.uname()  # of several that share a store, each finds out for itself
    terminal = [str(stream.isatty()) for stream in (sys.stdout, sys.stderr)]
    return [
        "1", __version__, sys.executable, sys.version, str(sys.flags), str(os.getuid()), folder,
        machine.nodename, machine.machine, *terminal,
        str(len(arguments)), *arguments, str(len(sys.path)), *sys.path, *variables,
    ]  # fmt: skip


def recall_answer(key: Sequence[str]) -> Answer | None:
    """Return what this very command said, if it would say that again; None where it may not."""
    found = _read(_place(key))
    if found is None or found[0] != key:
        return None
    _, said, (until, asked, *guards), looks = found
    still = (
        time.time() < float(until)
        and all(describe_state(path) == seen for path, seen in _pairs(looks))
        and asked in ("", describe_devices())
        and all(_still_good(*guard) for guard in _pairs(guards))
    )
    return _pairs(said) if still else None


def keep_answer(key: Sequence[str], said: Answer, watch: Watch, *, began: float) -> str:
    """Write a stamp of a run that began at a time; return why none was written, if so."""
    reason = watch.doubt or _look_again(watch, began)
    if reason:
        return reason
    guards = [("lock", path) for path in watch.locks]
    guards += [("writable", path) for path in watch.writable]
    guards += [("variable", _describe_variable(name)) for name in watch.variables]
    parts = [
        list(key),
        _flat(said),
        [repr(watch.until), watch.devices, *_flat(sorted(guards))],
        _flat(watch.looks.items()),
    ]
    data = SECTION.join(FIELD.join(part) for part in parts).encode("utf-8", "surrogateescape")
    if _parts(data) != parts:
        return "a text holds what separates texts"
    from pathlib import Path

    from trtbuild.core.files import write_whole

    place = Path(_place(key))
    try:
        write_whole(place, f"{zlib.crc32(data):08x}\n".encode() + data)
        by_age = sorted(place.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for path in by_age[:-MOST_STAMPS]:
            path.unlink()
    except OSError as error:
        return str(error)
    return ""


def _describe_variable(name: str) -> str:
    """Tell one value of a variable from another without saying it: it may be a password."""
    import hashlib

    value = os.environ.get(name)
    told = "" if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()
    return f"{name}={told}"


def _look_again(watch: Watch, began: float) -> str:
    """Say what moved during a run, or so shortly before that its times cannot be trusted."""
    for folder in watch.folders:
        for path in _links(folder):
            watch.see(path)
    for module in list(sys.modules.values()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str):
            watch.see(file)
    settled = (began - SETTLED_SECONDS) * NANOSECONDS
    for path, seen in watch.looks.items():
        if describe_state(path) != seen:
            return f"{path} moved"
        if not seen.startswith("-") and max(map(int, seen.split()[1:3])) > settled:
            return f"{path} has just been changed"
    return ""


def _links(folder: str) -> list[str]:
    """Return the links in a folder: where they lead may change behind its back."""
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_symlink()]
    except OSError:
        return []


def _place(key: Sequence[str]) -> str:
    name = zlib.crc32(FIELD.join(key).encode("utf-8", "surrogateescape"))
    return os.path.join(find_store_root(), "stamps", f"{name:08x}")  # noqa: PTH118


def _read(path: str) -> list[list[str]] | None:
    """Return the parts of a stamp, or None where it is absent, torn or damaged."""
    try:
        # Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as file:  # noqa: PTH123
            seal, _, data = file.read(MOST_BYTES).partition(b"\n")
        parts = _parts(data)
    except (OSError, ValueError):
        return None
    whole = seal == f"{zlib.crc32(data):08x}".encode() and len(parts) == 4  # noqa: PLR2004
    return parts if whole else None


def _parts(data: bytes) -> list[list[str]]:
    text = data.decode("utf-8", "surrogateescape")
    return [part.split(FIELD) if part else [] for part in text.split(SECTION)]


def _pairs(flat: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _flat(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [text for pair in pairs for text in pair]


def _still_good(what: str, path: str) -> bool:
    """Tell whether a variable is as it was, a folder can be written to, or a lock be shared."""
    if what == "variable":
        return path == _describe_variable(path.partition("=")[0])
    if what == "writable":
        return os.access(path, os.W_OK | os.X_OK)
    from trtbuild.core.locks import take_lock

    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return take_lock(handle, shared=True)
    except OSError:
        return False  # without locks there is something to say
    finally:
        os.close(handle)
