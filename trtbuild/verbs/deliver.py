"""Places results in the build directory: whole files, only those that changed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from trtbuild.core.errors import MissingFile, NotWritable
from trtbuild.core.files import copy_whole, write_whole
from trtbuild.core.records import Artifact
from trtbuild.core.regular_files import read_regular
from trtbuild.core.watch import note_path
from trtbuild.store.store import Store

__all__ = ["deliver_files", "prepare_directory"]

STATE = ".trtbuild.json"


def prepare_directory(directory: Path) -> None:
    """Make the build directory, before any work is done for it.

    Raises:
        NotWritable: it cannot be made or written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise NotWritable(
            f"the build directory {directory} cannot be written to: {error.strerror}",
            hint="choose another one with --build-dir",
        ) from None


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
    `basis` it was rendered from has changed. With `whole`, what an earlier delivery left and this
    one does not hold is removed.

    Raises:
        CorruptObject: an artifact in the store turned out damaged.
    """
    with _alone(directory / ".lock"):
        state = _read(directory / STATE)
        wanted = {path: artifact.digest for path, artifact in artifacts.items()}
        wanted |= dict.fromkeys(pages, basis)
        changed = [path for path in wanted if not _in_place(directory, path, wanted[path], state)]
        for path in changed:
            if path in pages:
                write_whole(directory / path, pages[path]().encode())
            else:
                copy_whole(store.verify(artifacts[path]), directory / path)
            state[path] = [wanted[path], *_stamp(directory / path)]
        stale = [path for path in state if path not in wanted] if whole else []
        for path in stale:
            _remove(directory, path)
            del state[path]
        if changed or stale:
            write_whole(directory / STATE, json.dumps(state, indent=0, sort_keys=True).encode())
    return tuple(changed)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other deliveries out; a link or a pipe in the lock's place leads nowhere."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    lock = os.open(path, flags, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _in_place(directory: Path, path: str, digest: str, state: dict[str, list[object]]) -> bool:
    note_path(directory / path)
    try:
        return state.get(path) == [digest, *_stamp(directory / path)]
    except OSError:
        return False


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _remove(directory: Path, path: str) -> None:
    (directory / path).unlink(missing_ok=True)
    folder = (directory / path).parent
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
    if "\0" in name or not place.parts or place.is_absolute() or ".." in place.parts:
        return False
    return not any((directory / parent).is_symlink() for parent in place.parents)
