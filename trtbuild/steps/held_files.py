"""Hold the files that a step names to the digests that it was planned with, while it runs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject
from trtbuild.steps.base import HeldElsewhere, Pinned, Ref

__all__ = ["demand_unchanged", "hold_files", "iterate_leaves"]

SETTLED_NANOSECONDS = 2_000_000_000
"""A second change within the clock's granularity would go unseen."""


@contextlib.contextmanager
def hold_files(step: Any) -> Iterator[None]:
    """Run a step only on what was planned, and let nothing pass that it read of anything else.

    Each file is read whole before, and held to its digest. Afterwards it must be the same file with
    the same size and times: what was changed and changed back was read in between, or may have
    been. Where the step fails and a file has changed, that is what is said.

    Raises:
        CorruptObject: a file is not what was planned with.
        MissingFile: it is gone.
    """
    leaves = (leaf for _, leaf in iterate_leaves(step, held=True))
    pinned = [leaf for leaf in leaves if isinstance(leaf, Pinned)]
    began = time.time_ns()
    before = [(each, _describe(each.path)) for each in pinned]
    demand_unchanged(pinned)
    try:
        yield
    except Exception as error:
        _demand_unmoved(before, began, cause=error)
        raise
    _demand_unmoved(before, began)


def demand_unchanged(files: Iterable[Pinned]) -> None:
    """Read files whole, and hold them to their digests.

    Raises:
        CorruptObject: one is not what was planned with.
        MissingFile: one is gone.
    """
    for pinned in files:
        if digest_of_file(Path(pinned.path)) != pinned.digest:
            raise _changed(pinned.path)


def iterate_leaves(
    value: Any, path: str = "", *, held: bool = False
) -> Iterator[tuple[str, Ref | Pinned]]:
    """Yield every input of a step with the path of its field.

    With `held`, those are left out that are held to something else than the digest of a file.
    """
    if isinstance(value, Ref | Pinned):
        yield path, value
    elif isinstance(value, BaseModel):
        if held and isinstance(value, HeldElsewhere):
            return
        for name in type(value).model_fields:
            yield from iterate_leaves(getattr(value, name), f"{path}.{name}".lstrip("."), held=held)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from iterate_leaves(item, f"{path}.{index}", held=held)


def _demand_unmoved(
    before: Iterable[tuple[Pinned, tuple[int, ...]]], began: int, *, cause: Exception | None = None
) -> None:
    for pinned, seen in before:
        moved = _describe(pinned.path) != seen
        if moved or max(seen[:2], default=0) > began - SETTLED_NANOSECONDS:
            demand_unchanged([pinned])  # where it is gone, that is said
        if moved:
            raise _changed(pinned.path) from cause


def _describe(path: str) -> tuple[int, ...]:
    """Return what tells one state of a file from another; nothing where it is not there."""
    try:
        seen = os.stat(path)  # noqa: PTH116  # there may be many
    except (OSError, ValueError):
        return ()
    return (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino, seen.st_dev)


def _changed(path: str) -> CorruptObject:
    return CorruptObject(
        f"{path}: has changed since this run was planned",
        hint="run the same command again: it plans with the file as it is now",
    )
