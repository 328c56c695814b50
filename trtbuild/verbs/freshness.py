"""Whether a file in a build directory is what its recipe makes as it stands now."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from trtbuild.core.comparison import Comparison
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import (
    LockMismatch,
    MissingDependency,
    MissingFile,
    TrtbuildError,
    UsageError,
)
from trtbuild.core.placed import COMPARISON, ENGINE, MODELS, WAIVED
from trtbuild.core.regular_files import read_regular
from trtbuild.plan.explain import decide
from trtbuild.plan.lock import Lock, find_lock
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor
from trtbuild.store.store import Store
from trtbuild.verbs.build import compile_for_machine, list_known_outcomes
from trtbuild.verbs.lock import compare_with_lock

__all__ = ["explain_doubt", "explain_doubt_of_digest", "explain_waiver"]


def explain_doubt(loaded: LoadedRecipe, file: Path, store: Store, executor: Executor) -> str:
    """Say why it is not known that a file is of a recipe as it stands; nothing where it is.

    A file that was built elsewhere may be: this store knows nothing of it. That it was placed
    though a gate did not pass is said too.

    Raises:
        UsageError: it is of another recipe, or of this one as it was.
    """
    doubt = explain_doubt_of_digest(loaded, str(file), digest_of_file(file), store, executor)
    return "; ".join(filter(None, (explain_waiver(file), doubt)))


def explain_waiver(file: Path) -> str:
    """Say which gates a placed file did not pass; nothing where none is known that it did not.

    The model before it is quantized has no gate to pass.
    """
    if file.name == MODELS["fp32"].file:
        return ""
    folders = (file.parent, *([file.parent.parent] if file.name == ENGINE else []))
    failed: dict[str, None] = {}
    for path in (folder / COMPARISON for folder in folders):
        with contextlib.suppress(TrtbuildError, OSError):
            found = Comparison.read_json(read_regular(path), what=str(path))
            failed |= dict.fromkeys(each.gate for each in found.verdicts if not each.passed)
    return f"{WAIVED}{'; '.join(failed)}" if failed else ""


def explain_doubt_of_digest(
    loaded: LoadedRecipe, shown: str, digest: str, store: Store, executor: Executor
) -> str:
    """Say the same of bytes that may not be here any more, and what to call them."""
    try:
        if any(each == digest for each in _list_made(loaded, store, executor)):
            return ""  # a locked build needs no data: it is asked for first
    except (MissingFile, MissingDependency) as error:
        return f"whether the recipe still makes it is not known: {error.message}"
    if store.object_path(digest).is_file():
        raise UsageError(
            f"{shown}: was built, but not from {loaded.file} as it stands",
            hint=f"trtbuild apply {loaded.file}; or give the engine itself, to run what is there",
        )
    return "whether the recipe still makes it is not known: it was not built here"


def _list_made(loaded: LoadedRecipe, store: Store, executor: Executor) -> Iterator[str]:
    """Yield the digests of all that was made of a recipe as it stands, with its lock or without."""
    for lock in _locks(loaded, store, executor):
        made, _ = compile_for_machine(loaded, store, executor, targets=(), fetch=False, lock=lock)
        store.digests.save()
        for outcome in list_known_outcomes(decide(made, store), store):
            yield from (artifact.digest for artifact in outcome.artifacts)


def _locks(loaded: LoadedRecipe, store: Store, executor: Executor) -> Iterator[Lock | None]:
    if find_lock(loaded.file).is_file():
        # Else it is of another recipe: nothing is built with it.
        with contextlib.suppress(LockMismatch, UsageError):
            yield compare_with_lock(loaded, store, executor, building=True)[0]
    yield None
