"""Files of a call, carried to a machine that does not see this one's, and back."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trtbuild.core.locks import try_lock
from trtbuild.core.options import relocate
from trtbuild.run.executor import Call

__all__ = ["Chunks", "list_files", "make_stage", "pack", "stage", "unpack"]

CHUNK_BYTES = 64 << 20
"""Larger files go in pieces: what carries them holds each in memory."""
STAGE, LOCK = "trtbuild-slot-", "lock"
Chunks = list[Any]
"""What stands for the pieces of a file: whatever the carrier made of each."""


def list_files(call: Call) -> tuple[str, ...]:
    """Return the files that a call names, and that are there."""
    found: dict[str, None] = {}

    def note(path: str) -> str:
        if Path(path).is_file():
            found[path] = None
        return path

    relocate(call, note)
    found.pop(call.log, None)
    return tuple(found)


def pack(path: Path, carry: Callable[[bytes], Any]) -> Chunks:
    """Give the pieces of a file to a carrier."""
    chunks = []
    with path.open("rb") as file:
        while data := file.read(CHUNK_BYTES):
            chunks.append(carry(data))
    return chunks


def unpack(chunks: Chunks, path: Path, fetch: Callable[[Any], bytes]) -> None:
    """Write the pieces that a carrier brought into a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(fetch(chunk))


def make_stage() -> tuple[Path, int]:
    """Return a new folder for copies, and the lock that says that it is in use.

    Those of slots that are gone, of which nobody holds the lock, are removed.
    """
    folder = Path(tempfile.gettempdir())
    for left in folder.glob(f"{STAGE}*"):
        with contextlib.suppress(OSError):  # another user's
            lock = try_lock(left / LOCK)
            if lock is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)
    made = Path(tempfile.mkdtemp(prefix=f".{STAGE}", dir=folder))
    lock = try_lock(made / LOCK)
    assert lock is not None  # noqa: S101  # nobody knows of it
    # Under this name others find it: now that it is locked.
    return made.rename(made.with_name(made.name[1:])), lock


def stage(
    call: Call, files: Mapping[str, Chunks], folder: Path, fetch: Callable[[Any], bytes]
) -> Call:
    """Return a call whose every path lies below a folder, with its files there.

    What lies there of an earlier call, of the same size, is the same file: a path of a store names
    its bytes, and those of others are held to their digests when the step runs.
    """

    def move(path: str) -> str:
        return str(folder / path.lstrip("/"))

    for path, chunks in files.items():
        unpack(chunks, Path(move(path)), fetch)
    staged: Call = relocate(call, move)
    Path(staged.out).mkdir(parents=True, exist_ok=True)
    return staged
