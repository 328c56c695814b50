"""Places results in the build directory: whole files, only those that changed."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.action import Artifact
from trtbuild.core.errors import MissingFile, NotWritable
from trtbuild.core.files import FULL, copy_whole, write_whole
from trtbuild.core.locks import NoLocks, take_lock
from trtbuild.core.placed import BENCH, BENCH_FILES, FAILED, TUNING
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path
from trtbuild.store.store import Store

if TYPE_CHECKING:
    from trtbuild.core.records import Record

__all__ = [
    "RenderPage",
    "blaming_directory",
    "deliver_files",
    "list_delivered",
    "prepare_directory",
]

RenderPage = Callable[["Record"], str]

STATE, LOCK = ".trtbuild.json", ".lock"


def prepare_directory(directory: Path) -> tuple[str, ...]:
    """Make the build directory, before any work is done for it; return remarks on it.

    Raises:
        NotWritable: it cannot be made or written to.
    """
    with blaming_directory(directory):
        directory.mkdir(parents=True, exist_ok=True)
        _demand_own_folder(directory / FAILED)
        probe = directory / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
        lock = _open_lock(directory / LOCK)
        try:
            take_lock(lock, shared=True)
        except NoLocks as error:
            told = f"the build directory's file system has no locks ({error.strerror})"
            return (f"{told}: let one apply at a time place its results there",)
        finally:
            os.close(lock)
    return ()


def _demand_own_folder(place: Path) -> None:
    """Refuse what a build that its gates refuse could not be told of in, or would be elsewhere.

    Raises:
        NotWritable: it is a link, or a file.
    """
    try:
        mode = place.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        raise NotWritable(
            f"{place}: is {'a link' if stat.S_ISLNK(mode) else 'no folder'}, and a folder is "
            "needed there, for what came of a build whose gates fail",
            hint="remove it, or choose another build directory with --build-dir",
        )


def deliver_files(
    directory: Path,
    store: Store,
    *,
    artifacts: Mapping[str, Artifact],
    pages: Mapping[str, Callable[[], str]],
    basis: str,
    whole: bool,
) -> tuple[str, ...]:
    """Place artifacts and pages (by relative path) in a directory; return those that changed.

    A file that is in place, by size and times, is left alone; a page is rendered only where the
    `basis` it was rendered from has changed, and written only where it comes out otherwise. With
    `whole`, what an earlier delivery left and this one does not hold is removed, but for
    `tune.json` and a bench's; the files of a bench go with the next one's.

    Raises:
        CorruptObject: an artifact in the store turned out damaged.
        NotWritable: the directory is full, say.
    """
    with blaming_directory(directory), _alone(directory / LOCK):
        state = _read(directory / STATE)
        wanted = {path: artifact.digest for path, artifact in artifacts.items()}
        wanted |= dict.fromkeys(pages, basis)
        changed = [path for path in wanted if not _in_place(directory, path, wanted[path], state)]
        written = []
        for path in changed:
            if path in pages:
                data = pages[path]().encode()
                if not _stands(directory, path, data, state):
                    write_whole(directory / path, data)
                    written.append(path)
            else:
                copy_whole(store.verify(artifacts[path]), directory / path)
                written.append(path)
            state[path] = [wanted[path], *_stamp(directory / path)]
        stale = [path for path in state if path not in wanted and _is_stale(path, wanted, whole)]
        for path in stale:
            _remove(directory, path)
            del state[path]
        if changed or stale:
            write_whole(directory / STATE, json.dumps(state, indent=0, sort_keys=True).encode())
    return tuple(written)


def _is_stale(path: str, wanted: Container[str], whole: bool) -> bool:  # noqa: FBT001
    """Tell whether a file of an earlier delivery goes.

    What a search or a bench has found is no result of a build: it stays until the next, whose plots
    may be fewer.
    """
    if path in BENCH_FILES:
        return BENCH in wanted
    return whole and path != TUNING


def list_delivered(directory: Path) -> tuple[str, ...]:
    """Return what earlier deliveries placed in a directory and is there, by relative path."""
    return tuple(sorted(path for path in _read(directory / STATE) if (directory / path).is_file()))


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other deliveries out, where the file system has locks."""
    lock = _open_lock(path)
    try:
        with contextlib.suppress(NoLocks):
            take_lock(lock, wait=True)
        yield
    finally:
        os.close(lock)


def _open_lock(path: Path) -> int:
    """Open a lock; a link or a pipe in its place leads nowhere."""
    harmless: int = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # not on Windows
    return os.open(path, os.O_RDWR | os.O_CREAT | harmless, 0o666)


@contextlib.contextmanager
def blaming_directory(directory: Path) -> Iterator[None]:
    """Say of what cannot be written that it is the build directory's."""
    try:
        yield
    except OSError as error:
        place = Path(error.filename2 or error.filename or directory)
        what = f"{place.relative_to(directory)}: " if directory in place.parents else ""
        way_out = "choose another one with --build-dir"
        raise NotWritable(
            f"the build directory {directory} cannot be written to: {what}{error.strerror}",
            hint=f"make room there, or {way_out}" if error.errno in FULL else way_out,
        ) from None


def _in_place(directory: Path, path: str, digest: str, state: dict[str, list[object]]) -> bool:
    note_path(directory / path)
    try:
        return state.get(path) == [digest, *_stamp(directory / path)]
    except OSError:
        return False


def _stands(directory: Path, path: str, data: bytes, state: dict[str, list[object]]) -> bool:
    """Tell whether a page that was rendered from something else before came out the same."""
    try:
        untouched = state[path][1:] == _stamp(directory / path)
        return untouched and read_regular(directory / path) == data
    except (KeyError, OSError, MissingFile):
        return False


def _stamp(path: Path) -> list[int]:
    seen = path.stat()
    return [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino]


def _remove(directory: Path, path: str) -> None:
    place = directory / path
    if place.is_symlink() or not place.is_dir():  # no delivery places a folder
        place.unlink(missing_ok=True)
    folder = place.parent
    if folder != directory and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _read(path: Path) -> dict[str, list[object]]:
    """Return what was delivered before, by path; of that, what lies in this directory."""
    try:
        found = json.loads(read_regular(path))
    except (MissingFile, ValueError, RecursionError):
        return {}
    return (
        {name: each for name, each in found.items() if _inside(path.parent, name)}
        if isinstance(found, dict)
        else {}
    )


def _inside(directory: Path, name: str) -> bool:
    """Tell whether a path that this file names is one that a delivery can have placed there.

    Whoever made the directory may have written the file, and what it names may be removed.
    """
    place = Path(name)
    if not place.parts or place.is_absolute() or ".." in place.parts or name in {STATE, LOCK}:
        return False
    try:
        (directory / place).lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # it was removed
    except (OSError, ValueError):
        return False  # no file has such a name
    return not any((directory / parent).is_symlink() for parent in place.parents)
