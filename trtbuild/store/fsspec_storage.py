"""Storages that fsspec reaches: s3, gs, az, sftp, memory and what else it knows."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingDependency, UsageError
from trtbuild.store.storage import Entry

__all__ = ["FsspecStorage", "open_fsspec"]

WHOLE = frozenset({"memory", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "cos"})
"""Storages where a file is there when all of it is; elsewhere it is written beside, then moved."""
TIMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")
"""What libraries call the time of the last change."""
PROVIDERS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs",
             "abfs": "adlfs", "sftp": "paramiko", "ssh": "paramiko"}  # fmt: skip

_creating = threading.Lock()
"""In one process, one at a time makes a name: the storage in memory does not see to that."""


def open_fsspec(url: str) -> FsspecStorage:
    """Return the storage behind a URL; nothing is asked of it yet.

    Raises:
        MissingDependency: fsspec, or the library of that scheme, is not installed.
        UsageError: there is no such scheme.
    """
    scheme = url.partition("://")[0]
    try:
        import fsspec

        system, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        missing = error.name or PROVIDERS.get(scheme, scheme)
        extra = "trtbuild[storage]" if missing == "fsspec" else PROVIDERS.get(scheme, missing)
        raise MissingDependency(
            f"the remote store {scheme}://... needs `{missing}`, which is not installed",
            hint=f"pip install '{extra}'",
        ) from None
    except ValueError:
        raise UsageError(
            f"the remote store {scheme}://...: there is no storage of that sort",
            hint="a folder, s3://, gs://, az://, sftp://, or what else fsspec knows",
        ) from None
    return FsspecStorage(system, root.rstrip("/"), name=url.rstrip("/"), whole=scheme in WHOLE)


class FsspecStorage:
    """A folder of an fsspec file system."""

    def __init__(self, system: Any, root: str, *, name: str, whole: bool) -> None:
        self._system = system
        self._root = root
        self.name = name
        self._whole = whole

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def read(self, key: str, most_bytes: int) -> bytes | None:
        """Return what lies there."""
        try:
            with self._system.open(self._path(key), "rb") as file:
                data: bytes = file.read(most_bytes + 1)
        except FileNotFoundError:
            return None
        return data if len(data) <= most_bytes else None

    def size(self, key: str) -> int | None:
        """Return the size that is told."""
        try:
            return int(self._system.info(self._path(key))["size"])
        except FileNotFoundError:
            return None

    def fetch(self, key: str, path: Path) -> bool:
        """Bring it into a file."""
        try:
            self._system.get_file(self._path(key), str(path))
        except FileNotFoundError:
            return False
        return True

    def write(self, key: str, data: bytes) -> None:
        """Write it, beside first where half of it would be seen."""
        with self._place(key) as place:
            self._system.pipe_file(place, data)

    def send(self, key: str, path: Path) -> None:
        """Send a file, beside first where half of it would be seen."""
        with self._place(key) as place:
            self._system.put_file(str(path), place)

    @contextlib.contextmanager
    def _place(self, key: str) -> Iterator[str]:
        path = self._path(key)
        if self._whole:
            yield path
            return
        folder, _, name = path.rpartition("/")
        self._system.makedirs(folder, exist_ok=True)
        part = f"{folder}/.{name}.{os.urandom(6).hex()}.part"
        try:
            yield part
            self._system.mv(part, path)
        except BaseException:
            with contextlib.suppress(Exception):
                self._system.rm_file(part)
            raise

    def create(self, key: str, data: bytes) -> bool:
        """Have the storage make it once.

        Where it cannot, it looks first: two may then believe that they made it, and each does what
        the other does.
        """
        path = self._path(key)
        if not self._whole:
            self._system.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            with _creating:
                self._system.pipe_file(path, data, mode="create")
        except FileExistsError:
            return False
        return True

    def remove(self, key: str) -> None:
        """Remove it, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._system.rm_file(self._path(key))

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield what a listing tells."""
        try:
            found = self._system.find(self._path(prefix), detail=True)
        except FileNotFoundError:
            return
        start = len(self._root.lstrip("/")) + 1
        for path, told in found.items():
            key = path.lstrip("/")[start:]
            if not key.rpartition("/")[2].startswith("."):
                yield Entry(key, int(told.get("size") or 0), _read_time(told))


def _read_time(told: dict[str, Any]) -> float | None:
    for name in TIMES:
        when = told.get(name)
        if isinstance(when, datetime):
            return when.timestamp()
        if isinstance(when, int | float):
            return float(when)
        if isinstance(when, str):
            with contextlib.suppress(ValueError):
                return datetime.fromisoformat(when).timestamp()
    return None
