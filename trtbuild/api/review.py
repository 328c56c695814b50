"""What a change means: locks and differences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.executors import demand_buildable, using_executor
from trtbuild.api.recipes import load
from trtbuild.api.stores import open_store
from trtbuild.core.log_levels import USUAL, LogLevel

if TYPE_CHECKING:
    from trtbuild.core.records import GateVerdict
    from trtbuild.plan.difference import Diff
    from trtbuild.plan.lock import Lock
    from trtbuild.run.executor import Executor, Listener
    from trtbuild.verbs.verify import Verification

__all__ = [
    "check_lock",
    "diff",
    "diff_git",
    "find_locked_recipes",
    "list_failed_gates",
    "list_locked_failures",
    "list_requirements",
    "lock",
    "verify",
]


def lock(path: Path | str, *, executor: Executor | str = "local") -> tuple[Path, bool, Lock]:
    """Write the lock of a recipe that is built; return its path, whether it changed, and it.

    Raises:
        UsageError: the recipe is not built as it stands.
    """
    from trtbuild.plan.lock import find_lock, write_lock
    from trtbuild.store.maintenance import note_lock
    from trtbuild.verbs.lock import lock_built

    with using_executor(executor) as place:
        found = lock_built(load(path), open_store(), place)
    changed = write_lock(find_lock(Path(path)), found)
    note_lock(open_store(), find_lock(Path(path)))
    return find_lock(Path(path)), changed, found


def list_failed_gates(
    path: Path | str, *, executor: Executor | str = "local"
) -> tuple[GateVerdict, ...]:
    """Return the gates that failed when a recipe was last built as it stands."""
    from trtbuild.verbs.lock_figures import list_failed_gates as failed

    with using_executor(executor) as place:
        return failed(load(path), open_store(), place)


def check_lock(
    path: Path | str, *, executor: Executor | str = "local", build_dir: Path | str | None = None
) -> tuple[Path, tuple[str, ...]]:
    """Hold a recipe and all that it names to its lock; builds nothing.

    With a `build_dir`, the models and engines that were placed there are held to it too. Returns
    the lock's path, and in words what was not here to be checked, and what was placed.

    Raises:
        LockMismatch: something differs.
        MissingFile, UsageError: there is no lock, or it cannot be read.
    """
    from trtbuild.plan.lock import find_lock
    from trtbuild.verbs.lock import compare_with_lock
    from trtbuild.verbs.placed_files import check_placed

    loaded = load(path)
    with using_executor(executor) as place:
        lock, remarks = compare_with_lock(loaded, open_store(), place)
    placed = "files that were placed are not checked"
    if build_dir is not None:
        directory = Path(build_dir) / loaded.recipe.name
        placed = check_placed(directory, lock, recipe=Path(path))
    return find_lock(Path(path)), (*remarks, placed)


def list_locked_failures(path: Path | str) -> tuple[str, ...]:
    """Say of each gate in the lock of a recipe that did not pass what it asked, and what was found.

    Raises:
        MissingFile, UsageError: there is no lock, or it cannot be read.
    """
    from trtbuild.plan.lock import find_lock, read_lock
    from trtbuild.verbs.lock_figures import list_locked_failures as failed

    return failed(read_lock(find_lock(Path(path))))


def list_requirements(paths: Sequence[Path | str], *, target: str = "") -> tuple[str, ...]:
    """Return the tools of the locks of recipes as lines of a requirements file, a pin a line.

    Those of a target that is built under a Python of its own are remarks there; with such a
    `target`, its are the pins.

    Raises:
        MissingFile, UsageError: there is no lock, it cannot be read, or two ask for two versions.
    """
    from trtbuild.verbs.requirements import list_requirements as listed

    return listed([Path(path) for path in paths], target)


def find_locked_recipes(folder: Path | str) -> tuple[Path, ...]:
    """Return the recipes below a folder that have a lock beside them, sorted."""
    from trtbuild.verbs.requirements import find_locked_recipes as found

    return found(Path(folder))


def verify(
    path: Path | str,
    *,
    targets: Sequence[str] = (),
    jobs: int = 2,
    executor: Executor | str = "local",
    listener: Listener | None = None,
    log_level: LogLevel = USUAL,
    device: str | int | None = None,
) -> Verification:
    """Build a recipe again in a store of its own, and hold that to what its lock guarantees.

    Without a lock, it is held to the last build. Neither the store nor the build directory changes.
    Of the steps' logs that of one that fails is kept.

    Raises:
        WrongSystem: nothing can be built on this one.
        LockMismatch: the recipe or its sources are not those of the lock.
        UsageError: there is neither a lock nor a build of the recipe as it stands.
        StepFailed: a step failed; its log is kept.
    """
    from trtbuild.run.executor import QuietListener
    from trtbuild.verbs.verify import verify_build

    demand_buildable(executor, "verifying")
    with using_executor(executor, jobs=jobs, log_level=log_level, device=device) as place:
        return verify_build(
            load(path), open_store(), place, targets=targets, listener=listener or QuietListener()
        )


def diff(before: Path | str, after: Path | str, *, executor: Executor | str = "local") -> Diff:
    """Compare two recipes, with their locks, or two locks, by what they mean."""
    from trtbuild.verbs.diff import diff_recipes

    with using_executor(executor) as place:
        return diff_recipes(Path(before), Path(after), open_store(), place)


def diff_git(
    between: str,
    *,
    recipes: Sequence[Path | str] = (),
    executor: Executor | str = "local",
) -> tuple[Diff, ...]:
    """Compare recipes (all, or those named) at two revisions, `A...B` or `A..B`."""
    from trtbuild.verbs.diff_revisions import diff_revisions

    with using_executor(executor) as place:
        return diff_revisions(between, [Path(each) for each in recipes], open_store(), place)
