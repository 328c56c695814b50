"""The canonical form; digests of bytes, trees and files, those of files remembered.

What is written or fetched in pieces is digested as it passes, where that is done.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingFile
from trtbuild.core.regular_files import open_regular, read_regular
from trtbuild.core.watch import exclude, note_path

__all__ = [
    "FileDigests",
    "digest_of_bytes",
    "digest_of_file",
    "digest_of_tree",
    "read_sealed",
    "read_sealed_tree",
    "seal",
    "unseal",
    "write_canonical_json",
]

PREFIX = "sha256:"
DIGEST_LETTERS = len(PREFIX) + 64
SETTLED_SECONDS = 2
STAMP_NUMBERS = 5
MOST_MEMORY_BYTES = 128 << 20
"""What the digests of half a million files come to."""


def write_canonical_json(tree: Any) -> str:
    """Write a plain tree in one form only: sorted keys, no spaces, no NaN, ASCII."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of_bytes(data: bytes) -> str:
    """Return `sha256:<hex>` of some bytes."""
    return PREFIX + hashlib.sha256(data).hexdigest()


def digest_of_tree(tree: Any) -> str:
    """Return the digest of a plain tree's canonical form."""
    return digest_of_bytes(write_canonical_json(tree).encode())


def digest_of_file(path: Path) -> str:
    """Return the digest of a file's bytes, read in pieces.

    Raises:
        MissingFile: it is not there, not a file, or may not be read.
    """
    try:
        with open_regular(path) as file:
            return PREFIX + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MissingFile(f"{path}: {error.strerror}") from None


def seal(text: str) -> bytes:
    """Return a text with its own digest as its last line, for a file that `read_sealed` reads."""
    return f"{text}\n{digest_of_bytes(text.encode())}\n".encode()


def read_sealed(path: Path, most_bytes: int) -> str | None:
    """Return the text of a sealed file, or None where it is absent, torn, damaged or too long.

    Its seal says that it is whole, not who wrote it.
    """
    try:
        return unseal(read_regular(path, most_bytes=most_bytes))
    except MissingFile:
        return None


def unseal(data: bytes) -> str | None:
    """Return the text of what `seal` wrote, or None where it is torn or damaged."""
    text, _, seal = data.removesuffix(b"\n").rpartition(b"\n")
    try:
        return text.decode() if digest_of_bytes(text).encode() == seal else None
    except UnicodeDecodeError:
        return None


def read_sealed_tree(path: Path, most_bytes: int) -> Any:
    """Return what the JSON of a sealed file says, or None where there is none that can be read."""
    text = read_sealed(path, most_bytes)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


class FileDigests:
    """Digests of files, remembered while size, times and inode stay what they were.

    A file modified less than two seconds before it was read is not remembered: a second change
    within the clock's granularity would go unseen (git calls such a file racily clean).
    """

    def __init__(self, memory: Path | None = None) -> None:
        """Remember in the JSON file `memory`; with None, remember nothing between processes."""
        self._memory = memory
        if memory is not None:
            exclude(memory)
        self._known: dict[str, list[Any]] = _read(memory)
        self._folders: dict[str, str] = {}
        """Where folders really are: to ask it for every file takes longer than all the rest."""
        self._forgotten: set[str] = set()
        self._changed = False

    def digest(self, path: Path) -> str:
        """Return the digest of a file, from memory if its stat has not moved.

        Raises:
            MissingFile: it is not there, not a file, or may not be read.
        """
        note_path(path)
        key = self._real(str(path))
        try:
            stamp = _stamp(key)
        except OSError:
            return digest_of_file(path)
        known = self._known.get(key)
        if known is not None and known[:-1] == stamp:
            return str(known[-1])
        settled = _is_settled(key)  # now: reading may take longer than the clock's granularity
        found = digest_of_file(path)
        if settled and _stamp(key) == stamp:
            self._known[key] = [*stamp, found]
            self._changed = True
        return found

    def _real(self, path: str) -> str:
        folder, name = os.path.split(path)
        if name in {"", ".", ".."}:
            return os.path.realpath(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        whole = os.path.join(self._folders[folder], name)  # noqa: PTH118
        return os.path.realpath(whole) if os.path.islink(whole) else whole  # noqa: PTH114

    def forget(self, path: Path) -> None:
        """Read a file anew when its digest is asked for: it was seen to be another's."""
        key = self._real(str(path))
        self._known.pop(key, None)
        self._forgotten.add(key)
        self._changed = True

    def save(self) -> None:
        """Write the memory down; losing it only costs time, so failing to is no error."""
        if self._memory is not None and self._changed:
            known = {p: each for p, each in _read(self._memory).items() if p not in self._forgotten}
            self._write(self._memory, {**known, **self._known})

    def forget_gone(self) -> None:
        """Forget the files that are no more."""
        if self._memory is not None and self._memory.is_file():
            known = _read(self._memory)
            self._write(self._memory, {p: each for p, each in known.items() if Path(p).exists()})

    def _write(self, memory: Path, known: dict[str, list[Any]]) -> None:
        from trtbuild.core.files import write_whole

        try:
            write_whole(memory, seal(json.dumps(known, separators=(",", ":"))))
        except OSError:
            return
        self._changed = False


def _stamp(path: str) -> list[int]:
    stat = os.stat(path)  # noqa: PTH116  # for every file of a plan
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev]


def _is_settled(path: str) -> bool:
    import time

    stat = Path(path).stat()
    return time.time() - max(stat.st_mtime, stat.st_ctime) > SETTLED_SECONDS


def _read(memory: Path | None) -> dict[str, list[Any]]:
    known = None if memory is None else read_sealed_tree(memory, MOST_MEMORY_BYTES)
    if not isinstance(known, dict):
        return {}
    return {path: each for path, each in known.items() if _is_sound(each)}


def _is_sound(entry: Any) -> bool:
    """Tell whether an entry is a stamp and a digest."""
    if not isinstance(entry, list) or len(entry) != STAMP_NUMBERS + 1:
        return False
    digest = entry[-1]
    return isinstance(digest, str) and len(digest) == DIGEST_LETTERS and digest.startswith(PREFIX)
