"""Storage: where machines share what they have built, as names with bytes; a folder is one.

A writer's file is whole or absent, `create` makes a name once, and that is all that is asked: what
is read is held to its digest by whoever reads it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from trtbuild.core.errors import UsageError
from trtbuild.core.files import replace_whole, write_whole

__all__ = [
    "FolderStorage",
    "Storage",
    "StorageEntry",
    "demand_no_secret",
    "open_storage",
    "raise_unless_gone",
]  # fmt: skip

PLAIN = "file://"


class StorageEntry(NamedTuple):
    """A name in a storage."""

    key: str
    size_bytes: int
    modified: float | None
    """When it was written, in seconds by the storage's own clock; None where that is not told."""


class Storage(Protocol):
    """Bytes by key (`objects/ab/cd`), shared by many writers.

    Its methods raise `OSError`, or whatever a library raises, where it cannot be reached.
    """

    name: str
    """What it is called in messages: nothing secret."""

    def read(self, key: str, most_bytes: int) -> bytes | None:
        """Return what lies there; None where there is nothing, or more than so many bytes."""

    def size(self, key: str) -> int | None:
        """Return how many bytes lie there; None where there is nothing."""

    def fetch(self, key: str, path: Path) -> bool:
        """Write what lies there into a file; return whether there is anything."""

    def write(self, key: str, data: bytes) -> None:
        """Let these bytes lie there, whole or not at all."""

    def send(self, key: str, path: Path) -> None:
        """Let the bytes of a file lie there, whole or not at all."""

    def create(self, key: str, data: bytes) -> bool:
        """Let these bytes lie there unless something does; return whether they do now."""

    def remove(self, key: str) -> None:
        """Let nothing lie there."""

    def list(self, prefix: str) -> Iterator[StorageEntry]:
        """Yield all that lies below a folder of keys (`objects`)."""


def open_storage(url: str) -> Storage:
    """Return the storage that an fsspec URL or a folder's path names; nothing is asked of it yet.

    Raises:
        UsageError: it holds a password, or its library knows no such storage.
        MissingDependency: the library is not installed.
    """
    demand_no_secret(url)
    if url.startswith(PLAIN) or "://" not in url:
        return FolderStorage(Path(url.removeprefix(PLAIN)).expanduser().absolute())
    from trtbuild.store.fsspec_storage import open_fsspec

    return open_fsspec(url)


def demand_no_secret(url: str) -> None:
    """Refuse a URL with a password: it would stand in settings, histories and logs.

    Raises:
        UsageError: it has one; the message does not.
    """
    scheme, found, rest = url.partition("://")
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if found and ((at and ":" in user) or "?" in rest):
        raise UsageError(
            f"the remote store's URL ({scheme}://...) holds a password or options",
            hint="leave them out: its library finds credentials in its own places "
            "(environment, profiles, keys, the machine's role)",
        )


class FolderStorage:
    """A folder, of a file system that machines may share."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = str(root)

    def _path(self, key: str) -> Path:
        return self.root / key

    def read(self, key: str, most_bytes: int) -> bytes | None:
        """Return what lies there."""
        try:
            with self._path(key).open("rb") as file:
                data = file.read(most_bytes + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return data if len(data) <= most_bytes else None

    def size(self, key: str) -> int | None:
        """Return the size of the file."""
        try:
            return self._path(key).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def fetch(self, key: str, path: Path) -> bool:
        """Copy the file."""
        try:
            shutil.copyfile(self._path(key), path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def write(self, key: str, data: bytes) -> None:
        """Write it beside, then move it there."""
        write_whole(self._path(key), data)

    def send(self, key: str, path: Path) -> None:
        """Copy it beside, then move it there."""
        with replace_whole(self._path(key)) as part:
            shutil.copyfile(path, part)

    def create(self, key: str, data: bytes) -> bool:
        """Write it beside, then link it: NFS makes links whole, and one of many alone.

        Where there are no links, a file is made exclusively, and filled then.
        """
        path = self._path(key)
        part = path.with_name(f".{path.name}.{os.urandom(6).hex()}.part")
        _write_into_folder(part, data)
        try:
            os.link(part, path)
        except FileExistsError:
            return False
        except OSError:
            return _create_open(path, data)
        finally:
            part.unlink(missing_ok=True)
        return True

    def remove(self, key: str) -> None:
        """Remove the file, and its folder with the last of them."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()

    def list(self, prefix: str) -> Iterator[StorageEntry]:
        """Yield the files below a folder; what is half written is none.

        Raises:
            OSError: a folder cannot be listed; what is left out would be taken for absent.
        """
        for folder, _, names in os.walk(self.root / prefix, onerror=raise_unless_gone):
            for name in names:
                path = Path(folder, name)
                try:
                    seen = path.stat()
                except FileNotFoundError:
                    continue
                if not name.startswith("."):
                    key = path.relative_to(self.root).as_posix()
                    yield StorageEntry(key, seen.st_size, seen.st_mtime)


def raise_unless_gone(error: OSError) -> None:
    """Raise what hindered a listing, but for what was removed meanwhile."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _write_into_folder(path: Path, data: bytes) -> None:
    """Write a file into a folder that somebody may remove as long as it is empty."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.write_bytes(data)
            return


def _create_open(path: Path, data: bytes) -> bool:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        return False
    return True
