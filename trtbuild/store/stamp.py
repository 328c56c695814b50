"""What a command said, kept with all that it looked at, to be said again while none of it moves.

A stamp is kept of a run that changed nothing, and only where nothing it looked at had changed in
the two seconds before it began: so no change can hide in the granularity of the clock, and none
that came during the run goes unseen. It is a file in the store; losing it only costs time. It names
what was looked at, and has one digest of all states: they would take a hundred times the room.
"""

from __future__ import annotations

import os
import sys
import time
import zlib

from trtbuild import __version__
from trtbuild.core.locations import find_store_root
from trtbuild.core.watch import (
    LINK,
    Watch,
    describe_devices,
    describe_link,
    describe_state,
    find_last_change,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["KeptAnswer", "keep_answer", "make_key", "recall_answer"]

KeptAnswer = list[tuple[str, str]]
"""What was written, in order: `out` or `err`, and the text."""

SETTLED_SECONDS = 2
MOST_BYTES, MOST_TEXT_BYTES = 1 << 20, 64 << 20
"""Of a stamp, and of its text; what would be longer is not kept."""
MOST_STAMPS = 100
"""How many are kept, one a folder and command; the oldest goes first."""
MOST_DAYS = 30
FORMAT = "2"
SECTION, FIELD = "\x1c", "\0"
ENVIRONMENT = (
    "CUDA_", "HOME", "LANG", "LC_", "LD_", "NVIDIA_", "PATH", "PYTHON", "TRTBUILD_", "XDG_",
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
    user = [os.getuid(), os.geteuid(), *sorted(os.getgroups())]
    terminal = [str(stream.isatty()) for stream in (sys.stdout, sys.stderr)]
    return [
        folder, str(len(arguments)), *arguments,
        FORMAT, __version__, sys.executable, sys.version, str(sys.flags), str(user),
        machine.nodename, machine.machine, *terminal, str(len(sys.path)), *sys.path, *variables,
    ]  # fmt: skip


def recall_answer(key: Sequence[str]) -> KeptAnswer | None:
    """Return what this very command said, if it would say that again; None where it may not."""
    found = _read(_place(key))
    if found is None or found[0] != [_digest(key)]:
        return None
    _, said, (since, until, asked, states, *guards), looked, folders = found
    still = (
        float(since) <= time.time() < float(until)  # a clock that was set back knows of no term
        and states == _digest_states(_unfold(looked), folders)
        and asked in ("", describe_devices())
        and all(_still_good(*guard) for guard in _pairs(guards))
    )
    return _pairs(said) if still else None


def keep_answer(key: Sequence[str], said: KeptAnswer, watch: Watch, *, began: float) -> str:
    """Write a stamp of a run that began at a time; return why none was written, if so."""
    if watch.doubt:
        return watch.doubt
    _look_further(watch)
    links = {folder: describe_link(folder) for folder in _list_folders(watch.looks)}
    reason = _find_movement(watch, links, began)
    if reason:
        return reason
    guards = [("lock", path) for path in watch.locks]
    guards += [("writable", path) for path in watch.writable]
    guards += [("variable", _describe_variable(name)) for name in watch.variables]
    looked, folders = sorted(watch.looks), list(links)
    states = _digest([*(watch.looks[path] for path in looked), *links.values()])
    parts = [
        [_digest(key)],
        _flat(said),
        [repr(time.time()), repr(watch.until), watch.devices, states, *_flat(sorted(guards))],
        _fold(looked),
        folders,
    ]
    data = SECTION.join(FIELD.join(part) for part in parts).encode("utf-8", "surrogateescape")
    if _parts(data) != parts or _unfold(parts[3]) != looked:
        return "a text holds what separates texts"
    packed = zlib.compress(data, 1)
    if len(packed) > MOST_BYTES or len(data) > MOST_TEXT_BYTES:
        return "it would be too long"
    from pathlib import Path

    from trtbuild.core.files import write_whole

    place = Path(_place(key))
    try:
        write_whole(place, f"{zlib.crc32(packed):08x}\n".encode() + packed)
        _sweep(place.parent)
    except OSError as error:
        return str(error)
    return ""


def _describe_variable(name: str) -> str:
    """Tell one value of a variable from another without saying it: it may be a password."""
    import hashlib

    value = os.environ.get(name)
    told = "" if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()
    return f"{name}={told}"


def _sweep(folder: Path) -> None:
    """Remove the oldest stamps, and all that nobody has kept anew for a month."""
    ages = {path: path.stat().st_mtime for path in folder.iterdir()}
    by_age = sorted(ages, key=ages.__getitem__)
    old = time.time() - MOST_DAYS * 24 * 3600
    for path in [*by_age[:-MOST_STAMPS], *(path for path in by_age if ages[path] < old)]:
        path.unlink(missing_ok=True)


def _look_further(watch: Watch) -> None:
    """Look at where links in listed folders lead, and at the modules that took part."""
    for folder in watch.folders:
        for path in _links(folder):
            watch.see(path)
    for module in list(sys.modules.values()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str):
            watch.see(file)


def _find_movement(watch: Watch, links: Mapping[str, str], began: float) -> str:
    """Say what moved during a run, or so shortly before that its times cannot be trusted."""
    settled = (began - SETTLED_SECONDS) * NANOSECONDS
    for folder, link in links.items():
        if find_last_change(link) > settled:
            return f"{folder} has just been changed"
    for path, seen in watch.looks.items():
        if describe_state(path) != seen:
            return f"{path} moved"
        if find_last_change(seen) > settled:
            return f"{path} has just been changed"
    return ""


def _links(folder: str) -> list[str]:
    """Return the links in a folder: where they lead may change behind its back."""
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_symlink()]
    except OSError:
        return []


def _list_folders(looks: Mapping[str, str]) -> list[str]:
    """Return every folder on the way to paths, by their states, by way of links too, sorted.

    Where one of them becomes a link, or leads elsewhere, a path may mean something else, though the
    file at its end should be the same.
    """
    found: set[str] = set()
    waiting = list(looks)
    while waiting:
        path = waiting.pop()
        if LINK in looks.get(path, LINK):  # what was not looked at may be a link
            waiting += _list_target(path)
        folder = path.rpartition(os.sep)[0]
        while folder and folder not in found:
            found.add(folder)
            waiting += _list_target(folder)
            folder = folder.rpartition(os.sep)[0]
    return sorted(found)


def _list_target(path: str) -> list[str]:
    """Return where a link leads, if it is one."""
    try:
        target = os.readlink(path)  # noqa: PTH115
    except OSError:
        return []
    return [os.path.join(path.rpartition(os.sep)[0] + os.sep, target)]  # noqa: PTH118


def _digest_states(paths: Iterable[str], folders: Iterable[str]) -> str:
    states = [describe_state(path) for path in paths]
    return _digest([*states, *(describe_link(folder) for folder in folders)])


def _digest(texts: Iterable[str]) -> str:
    """Return one digest of many texts; `hashlib` takes 3 ms to load."""
    try:
        from _blake2 import blake2b
    except ImportError:  # it is CPython's own
        from hashlib import blake2b
    return blake2b(FIELD.join(texts).encode("utf-8", "surrogateescape"), digest_size=32).hexdigest()


def _fold(paths: Iterable[str]) -> list[str]:
    """Write sorted paths with each folder once: before the names in it, with its last slash."""
    folded, last = [], ""
    for path in paths:
        folder, slash, name = path.rpartition(os.sep)
        if folder + slash != last:
            last = folder + slash
            folded.append(last)
        folded.append(name)
    return folded


def _unfold(folded: Iterable[str]) -> list[str]:
    paths, folder = [], ""
    for text in folded:
        if os.sep in text:
            folder = text
        else:
            paths.append(folder + text)
    return paths


def _place(key: Sequence[str]) -> str:
    """Return where the stamp of a command that is typed in a folder lies.

    By whom and where else is in the stamp: of these, one is kept.
    """
    name = _digest(key[: 2 + int(key[1])])[:16]
    return os.path.join(find_store_root(), "stamps", name)  # noqa: PTH118


def _read(path: str) -> list[list[str]] | None:
    """Return the parts of a stamp, or None where it is absent, torn or damaged."""
    try:
        # Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as file:  # noqa: PTH123
            seal, _, packed = file.read(MOST_BYTES + 16).partition(b"\n")
        if seal != f"{zlib.crc32(packed):08x}".encode():
            return None
        unpacking = zlib.decompressobj()
        parts = _parts(unpacking.decompress(packed, MOST_TEXT_BYTES))
    except (OSError, ValueError, zlib.error):
        return None
    whole = unpacking.eof and len(parts) == 5  # noqa: PLR2004
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
