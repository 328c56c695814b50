"""Folders and archives that are packed: whole or not at all, the same bytes each time."""

from __future__ import annotations

import contextlib
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from trtbuild.core.errors import NotWritable
from trtbuild.core.files import copy_whole, replace_whole, write_whole

__all__ = ["Content", "replace_folder", "say_unwritable", "write_archive", "write_files"]

Content = Path | bytes
_FIRST = (1980, 1, 1, 0, 0, 0)
"""The oldest time that an archive can hold: of none of the files in it is its time kept."""
_MODE = 0o644


@contextlib.contextmanager
def say_unwritable(path: Path) -> Iterator[None]:
    """Turn what the system says into an error that says what to do.

    Raises:
        NotWritable: something could not be written.
    """
    try:
        yield
    except OSError as error:
        raise NotWritable(
            f"{error.filename or path}: cannot be written: {error.strerror}",
            hint="make room there, or name another place: --to PATH",
        ) from error


def write_files(folder: Path, files: Mapping[str, Content]) -> None:
    """Write files below a folder, each whole; those that are there already are replaced."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            copy_whole(content, path)
        else:
            write_whole(path, content)


@contextlib.contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder beside one to write into; on success it takes its place, whole.

    On any failure what was there before stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = os.urandom(6).hex()
    part, old = (folder.with_name(f".{folder.name}.{mark}.{word}") for word in ("part", "old"))
    part.mkdir()
    try:
        yield part
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_archive(path: Path, files: Mapping[str, Content]) -> None:
    """Write a zip archive of files: sorted, without times, so that equal files give equal bytes."""
    with replace_whole(path) as part, zipfile.ZipFile(part, "w") as archive:
        for name in sorted(files):
            content = files[name]
            told = zipfile.ZipInfo(name, _FIRST)
            told.compress_type = zipfile.ZIP_DEFLATED
            told.external_attr = _MODE << 16
            told.create_system = 3  # Unix, wherever it is written
            told.file_size = content.stat().st_size if isinstance(content, Path) else len(content)
            with archive.open(told, "w") as entry:
                if isinstance(content, Path):
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, entry, 1 << 20)
                else:
                    entry.write(content)
