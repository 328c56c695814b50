"""Storages that fsspec reaches: s3, gs, az, sftp, memory and what else it knows."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from trtbuild.core.errors import MissingDependency, UsageError
from trtbuild.store.storage import StorageEntry, raise_unless_gone

__all__ = ["FsspecStorage", "open_fsspec"]

WHOLE = frozenset({"memory", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "cos"})
"""Storages where a file is there when all of it is; elsewhere it is written beside, then moved."""
HERE = frozenset({"local", "file"})
SFTP = frozenset({"sftp", "ssh"})
TIMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")
"""What libraries call the time of the last change."""
CONFLICT = "ConditionalRequestConflict"
"""What S3 says to one of two that make a name in the same moment: who did, the next look tells."""
PROVIDERS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs",
             "abfs": "adlfs", "sftp": "paramiko", "ssh": "paramiko"}  # fmt: skip
Answer = TypeVar("Answer")

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

        from trtbuild.store.sftp import make_sftp_class

        made = make_sftp_class() if scheme in SFTP else fsspec.get_filesystem_class(scheme)
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
    options = made._get_kwargs_from_urls(url)  # noqa: SLF001  # what fsspec itself goes by
    if scheme in SFTP:  # which hands on what it is given
        options["skip_instance_cache"] = True
    else:
        options["use_listings_cache"] = False
    root: str = made._strip_protocol(url)  # noqa: SLF001
    return FsspecStorage(
        lambda: made(**options), root.rstrip("/"), name=url.rstrip("/"),
        whole=scheme in WHOLE, alone=scheme not in {*WHOLE, *HERE},
    )  # fmt: skip


class FsspecStorage:
    """A folder of an fsspec file system."""

    def __init__(
        self, connect: Callable[[], Any], root: str, *, name: str, whole: bool, alone: bool
    ) -> None:
        """Go by what `connect` returns; `alone`: each serves one question at a time."""
        self._connect = connect
        self._root = root
        self.name = name
        self._whole = whole
        self._alone = alone
        self._creating = _creating if name.startswith("memory:") else contextlib.nullcontext()
        self._kept: list[Any] = []
        """File systems that nobody asks at the moment; of all threads one."""

    def _ask(self, do: Callable[[Any], Answer]) -> Answer:
        """Ask a file system; one that was kept may have been cut off meanwhile: then another."""
        while True:
            kept = True
            try:
                system = self._kept.pop() if self._alone else self._kept[0]
            except IndexError:
                system, kept = self._connect(), False
                if not self._alone:
                    self._kept[:] = [system]
            try:
                answer = do(system)
            except (FileNotFoundError, FileExistsError):
                self._keep(system)
                raise
            except Exception:
                if kept and self._alone:
                    continue
                raise
            self._keep(system)
            return answer

    def _keep(self, system: Any) -> None:
        if self._alone:
            self._kept.append(system)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def read(self, key: str, most_bytes: int) -> bytes | None:
        """Return what lies there."""

        def read(system: Any) -> bytes:
            with system.open(self._path(key), "rb") as file:
                data: bytes = file.read(most_bytes + 1)
            return data

        try:
            found = self._ask(read)
        except FileNotFoundError:
            return None
        return found if len(found) <= most_bytes else None

    def size(self, key: str) -> int | None:
        """Return the size that is told."""
        try:
            return int(self._ask(lambda system: system.info(self._path(key)))["size"])
        except FileNotFoundError:
            return None

    def fetch(self, key: str, path: Path) -> bool:
        """Bring it into a file."""
        try:
            self._ask(lambda system: system.get_file(self._path(key), str(path)))
        except FileNotFoundError:
            return False
        return True

    def write(self, key: str, data: bytes) -> None:
        """Write it, beside first where half of it would be seen."""
        self._put(key, lambda system, place: system.pipe_file(place, data))

    def send(self, key: str, path: Path) -> None:
        """Send a file, beside first where half of it would be seen."""
        self._put(key, lambda system, place: system.put_file(str(path), place))

    def _put(self, key: str, put: Callable[[Any, str], object]) -> None:
        def write(system: Any) -> None:
            with self._place(system, key) as place:
                put(system, place)

        self._ask(write)

    @contextlib.contextmanager
    def _place(self, system: Any, key: str) -> Iterator[str]:
        path = self._path(key)
        if self._whole:
            yield path
            return
        folder, _, name = path.rpartition("/")
        system.makedirs(folder, exist_ok=True)
        part = f"{folder}/.{name}.{os.urandom(6).hex()}.part"
        try:
            yield part
            system.mv(part, path)
        except BaseException:
            with contextlib.suppress(Exception):
                system.rm_file(part)
            raise

    def create(self, key: str, data: bytes) -> bool:
        """Have the storage make it once.

        Where it cannot, it looks first: two may then believe that they made it, and each does what
        the other does.
        """
        path = self._path(key)

        def create(system: Any) -> None:
            if not self._whole:
                system.makedirs(path.rpartition("/")[0], exist_ok=True)
            system.pipe_file(path, data, mode="create")

        try:
            with self._creating:
                self._ask(create)
        except FileExistsError:
            return False
        except OSError as error:
            if CONFLICT in str(error):
                return False
            raise
        return True

    def remove(self, key: str) -> None:
        """Remove it, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._ask(lambda system: system.rm_file(self._path(key)))

    def list(self, prefix: str) -> Iterator[StorageEntry]:
        """Yield what a listing tells; one that fails raises, and is no short one."""
        # Libraries that list in their own way raise of themselves, and know no such option.
        strict = {} if self._whole else {"on_error": raise_unless_gone}
        path = self._path(prefix)
        try:
            found = self._ask(lambda system: system.find(path, detail=True, **strict))
        except FileNotFoundError:
            return
        start = len(self._root.lstrip("/")) + 1
        for each, told in found.items():
            key = each.lstrip("/")[start:]
            if not key.rpartition("/")[2].startswith("."):
                yield StorageEntry(key, int(told.get("size") or 0), _read_time(told))


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
