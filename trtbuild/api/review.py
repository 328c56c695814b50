"""What a change means: locks and differences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.builds import store
from trtbuild.api.recipes import load
from trtbuild.core.store import Store, default_root

if TYPE_CHECKING:
    from trtbuild.run.diffing import Diff

__all__ = ["check_lock", "diff", "diff_git", "lock"]


def lock(path: Path) -> tuple[Path, bool]:
    """Write the lock of a recipe that is built; return its path and whether it changed.

    Raises:
        UsageError: the recipe is not built as it stands.
    """
    from trtbuild.core.upkeep import note_lock
    from trtbuild.plan.lock import lock_path, write_lock
    from trtbuild.run.locking import locked

    found = locked(load(path), store())
    changed = write_lock(lock_path(path), found)
    note_lock(store(), lock_path(path))
    return lock_path(path), changed


def check_lock(path: Path) -> Path:
    """Hold a recipe and all that it names to its lock; builds nothing.

    Raises:
        LockMismatch: something differs.
        MissingFile, UsageError: there is no lock, or it cannot be read.
    """
    from trtbuild.plan.lock import lock_path
    from trtbuild.run.locking import against

    against(load(path), Store(default_root()))
    return lock_path(path)


def diff(before: Path, after: Path) -> Diff:
    """Compare two recipes, with their locks, or two locks, by what they mean."""
    from trtbuild.run.diffing import diff as compared

    return compared(before, after, store())


def diff_git(between: str, *, recipes: Sequence[Path] = ()) -> tuple[Diff, ...]:
    """Compare recipes (all, or those named) at two revisions, `A...B` or `A..B`."""
    from trtbuild.run.diffing import diff_revisions

    return diff_revisions(between, recipes, store())
