"""What a change means: locks and differences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.builds import store
from trtbuild.api.executors import using_executor
from trtbuild.api.recipes import load
from trtbuild.store.store import Store, default_root

if TYPE_CHECKING:
    from trtbuild.core.records import Verdict
    from trtbuild.plan.difference import Diff
    from trtbuild.plan.lock import Lock
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.verbs.verifying import Verification

__all__ = ["check_lock", "diff", "diff_git", "failed_gates", "lock", "verify"]


def lock(path: Path | str, *, executor: Executor | str = "local") -> tuple[Path, bool, Lock]:
    """Write the lock of a recipe that is built; return its path, whether it changed, and it.

    Raises:
        UsageError: the recipe is not built as it stands.
    """
    from trtbuild.plan.lock import lock_path, write_lock
    from trtbuild.store.upkeep import note_lock
    from trtbuild.verbs.locking import locked

    with using_executor(executor) as place:
        found = locked(load(path), store(), place)
    changed = write_lock(lock_path(Path(path)), found)
    note_lock(store(), lock_path(Path(path)))
    return lock_path(Path(path)), changed, found


def failed_gates(path: Path | str, *, executor: Executor | str = "local") -> tuple[Verdict, ...]:
    """Return the gates that failed when a recipe was last built as it stands."""
    from trtbuild.verbs.locking import failed_gates as failed

    with using_executor(executor) as place:
        return failed(load(path), store(), place)


def check_lock(
    path: Path | str, *, executor: Executor | str = "local"
) -> tuple[Path, tuple[str, ...]]:
    """Hold a recipe and all that it names to its lock; builds nothing.

    Returns the lock's path, and what is not here to be checked, in words.

    Raises:
        LockMismatch: something differs.
        MissingFile, UsageError: there is no lock, or it cannot be read.
    """
    from trtbuild.plan.lock import lock_path
    from trtbuild.verbs.locking import against

    with using_executor(executor) as place:
        _, unchecked = against(load(path), Store(default_root()), place)
    return lock_path(Path(path)), unchecked


def verify(
    path: Path | str,
    *,
    targets: Sequence[str] = (),
    jobs: int = 2,
    executor: Executor | str = "local",
    listener: Listener | None = None,
) -> Verification:
    """Build a recipe again in a store of its own, and hold that to what its lock guarantees.

    Without a lock, it is held to the last build. Neither the store nor the build directory changes.

    Raises:
        LockMismatch: the recipe or its sources are not those of the lock.
        UsageError: there is neither a lock nor a build of the recipe as it stands.
        StepFailed: a step failed; its log is kept.
    """
    from trtbuild.run.executor import Quiet
    from trtbuild.verbs.verifying import verify as verified

    with using_executor(executor, jobs=jobs) as place:
        return verified(load(path), store(), place, targets=targets, listener=listener or Quiet())


def diff(before: Path | str, after: Path | str, *, executor: Executor | str = "local") -> Diff:
    """Compare two recipes, with their locks, or two locks, by what they mean."""
    from trtbuild.verbs.diffing import diff as compared

    with using_executor(executor) as place:
        return compared(Path(before), Path(after), store(), place)


def diff_git(
    between: str,
    *,
    recipes: Sequence[Path | str] = (),
    executor: Executor | str = "local",
) -> tuple[Diff, ...]:
    """Compare recipes (all, or those named) at two revisions, `A...B` or `A..B`."""
    from trtbuild.verbs.diffing import diff_revisions

    with using_executor(executor) as place:
        return diff_revisions(between, [Path(each) for each in recipes], store(), place)
