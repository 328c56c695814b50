"""Recipes at two revisions of a repository: what differs in meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from trtbuild.core.errors import RecipeError, UsageError
from trtbuild.plan.difference import Diff
from trtbuild.plan.lock import find_lock, read_lock
from trtbuild.recipe.load import load_recipe
from trtbuild.recipe.variants import lies_there
from trtbuild.run.executor import Executor
from trtbuild.store.store import Store
from trtbuild.verbs.diff import diff_recipes
from trtbuild.verbs.diff_figures import compare_gates
from trtbuild.verbs.diff_summary import summarize_recipe
from trtbuild.verbs.revisions import (
    Revisions,
    check_out_revisions,
    find_changed_recipes,
    find_git_path,
    lend_data,
)

__all__ = ["diff_revisions"]


def diff_revisions(
    between: str, recipes: Sequence[Path], store: Store, executor: Executor
) -> tuple[Diff, ...]:
    """Compare recipes at two revisions; with none named, all that either has.

    One that git takes for renamed is compared with what it was. Of one that is wrong at a revision
    its problems are all that is said.

    Raises:
        UsageError: git does not know the revisions, or a recipe is in neither.
    """
    with check_out_revisions(between, folder=Path()) as found:
        pairs = [_named_pair(path, found) for path in recipes] or find_changed_recipes(found)
        for path, (old, new) in zip(recipes, pairs, strict=False):
            if not (lies_there(found.before / old) or lies_there(found.after / new)):
                raise UsageError(f"{path}: is in neither revision of {between}")
        return tuple(_of_revisions(found, *pair, store, executor) for pair in pairs)


def _named_pair(path: Path, found: Revisions) -> tuple[Path, Path]:
    """Return what a recipe is called on both sides; its path starts here, or at the top."""
    pair = found.pair(find_git_path(path))
    there = lies_there(found.before / pair[0]) or lies_there(found.after / pair[1])
    return pair if there or path.is_absolute() else found.pair(path)


def _of_revisions(found: Revisions, old: Path, new: Path, store: Store, executor: Executor) -> Diff:
    before, after, names = found.before / old, found.after / new, (str(old), str(new))
    if not (lies_there(before) and lies_there(after)):
        only: Literal["before", "after"] = "before" if lies_there(before) else "after"
        return _of_one(before if only == "before" else after, names, only)
    wrong = (*_wrong(before, old, "before"), *_wrong(after, new, "after"))
    if wrong:
        return Diff(before=names[0], after=names[1], wrong=wrong)
    lent = dict.fromkeys((*lend_data(found.before, old), *lend_data(found.after, new)))
    made = diff_recipes(before, after, store, executor, names=names)
    notes = (f"data `{name}` is as it lies here: git does not hold it" for name in lent)
    return made.model_copy(update={"notes": (*made.notes, *notes)})


def _of_one(recipe: Path, names: tuple[str, str], only: Literal["before", "after"]) -> Diff:
    """Sum up a recipe that came or went, with what its lock says."""
    wrong = tuple(_wrong(recipe, Path(names[only == "after"]), only))
    if wrong:
        return Diff(before=names[0], after=names[1], only=only, wrong=wrong)
    beside = find_lock(recipe)
    lock = read_lock(beside) if beside.is_file() else None
    return Diff(
        before=names[0],
        after=names[1],
        only=only,
        verdict="unknown",
        summary=summarize_recipe(load_recipe(recipe), lock),
        gates=compare_gates(None, lock) if only == "after" else (),
    )


def _wrong(recipe: Path, name: Path, when: str) -> Iterator[str]:
    """Yield the problems of a recipe, a line each: nothing else can be said of it."""
    try:
        load_recipe(recipe)
    except RecipeError as error:
        for each in error.problems:
            line = f":{each.mark.line}" if each.mark else ""
            yield f"{when}: {name}{line}: {each.message}"
