"""Two recipes, with their locks, or two locks: what differs in meaning."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingDependency, MissingFile, UsageError
from trtbuild.core.options import Options
from trtbuild.core.range_diff import RangeDiff, range_diff
from trtbuild.core.store import Store
from trtbuild.core.values import Ranges
from trtbuild.plan.explain import differences
from trtbuild.plan.lock import Lock, lock_path, read_lock
from trtbuild.plan.plan import Plan
from trtbuild.recipe.load import load
from trtbuild.run.build import compiled
from trtbuild.run.locking import static
from trtbuild.run.revisions import changed_recipes, revisions

__all__ = ["Change", "Diff", "diff", "diff_revisions"]


class Change(Options):
    """One fact that differs."""

    what: str
    before: str | int | float | bool | None = None
    """None where there was none."""
    after: str | int | float | bool | None = None
    bits: float | None = None
    """What it does to INT8's resolution, for a limit: log2(after / before), lost where positive."""


class Diff(Options):
    """All that differs between two sides."""

    before: str
    after: str
    measures: tuple[Change, ...] = ()
    targets: tuple[Change, ...] = ()
    """Engines: what was delivered, sizes, versions."""
    recipe: tuple[Change, ...] = ()
    """Defaults are filled in; places of files, comments and order do not count."""
    sources: tuple[Change, ...] = ()
    tools: tuple[Change, ...] = ()
    ranges: RangeDiff | None = None
    """What calibration found, where both sides have a lock."""
    reruns: tuple[str, ...] | None = None
    """Steps that are not the same; None where it cannot be known, as `notes` say."""
    notes: tuple[str, ...] = ()

    @property
    def differ(self) -> bool:
        """Tell whether anything does."""
        moved = self.ranges is not None and self.ranges.differ
        facts = (self.measures, self.targets, self.recipe, self.sources, self.tools, self.reruns)
        return moved or any(facts)


def diff(before: Path, after: Path, store: Store, *, names: tuple[str, str] = ("", "")) -> Diff:
    """Compare two recipes, each with the lock beside it where there is one, or two locks.

    `names` are what to call the sides; by default their paths.

    Raises:
        RecipeError, MissingFile, UsageError: one of them cannot be read.
    """
    sides = (_side(before, store), _side(after, store))
    (old, old_plan, old_lock, old_note), (new, new_plan, new_lock, new_note) = sides
    results = old_lock is not None and new_lock is not None
    return Diff(
        before=names[0] or str(before),
        after=names[1] or str(after),
        measures=_moved(old_lock.measures, new_lock.measures) if old_lock and new_lock else (),
        targets=_moved(_targets(old_lock), _targets(new_lock)) if old_lock and new_lock else (),
        recipe=_moved(old.recipe, new.recipe),
        sources=_moved(_unmoved(old.sources, new.sources), _unmoved(new.sources, old.sources)),
        tools=_moved(old.tools, new.tools) if old.tools and new.tools else (),
        ranges=range_diff(_ranges(old_lock), _ranges(new_lock)) if results else None,
        reruns=_reruns(old_plan, new_plan) if old_plan and new_plan else None,
        notes=tuple(dict.fromkeys(note for note in (old_note, new_note) if note)),
    )


def _side(path: Path, store: Store) -> tuple[Lock, Plan | None, Lock | None, str]:
    """Return what a side rests on, its plan, its lock, and why there is no plan."""
    if path.suffix == ".lock":
        lock = read_lock(path)
        return lock, None, lock, ""
    loaded = load(path)
    beside = lock_path(path)
    lock_ = read_lock(beside) if beside.is_file() else None
    try:
        plan, _ = compiled(loaded, store, targets=(), fetch=False)
    except (MissingFile, MissingDependency) as error:
        bare = Plan(recipe=loaded.recipe.name, facts={}, steps=())
        return static(loaded, bare), None, lock_, f"which steps rerun is not known: {error.message}"
    return static(loaded, plan), plan, lock_, ""


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(
        Change(
            what=key,
            before=before.get(key),
            after=after.get(key),
            bits=_bits(key, before.get(key), after.get(key)),
        )
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )


def _bits(what: str, before: Any, after: Any) -> float | None:
    """Return what moving a manual limit does; a range of two ends shows as two facts."""
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    if not what.startswith("quantization.ranges.") or not numbers or what.endswith("]"):
        return None
    return math.log2(after / before) if before > 0 and after > 0 else None


def _unmoved(files: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Leave out files that only lie elsewhere on the other side."""
    there = {digest for name, digest in others.items() if name not in files}
    return {name: d for name, d in files.items() if name in others or d not in there}


def _targets(lock: Lock) -> dict[str, str | int]:
    return {
        f"{name}.{field}": " ".join(value) if isinstance(value, list) else value
        for name, target in lock.targets.items()
        for field, value in _facts(target.model_dump(mode="json"), "")
    }


def _facts(tree: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _facts(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _ranges(lock: Lock | None) -> Ranges:
    return (lock.table() if lock is not None else None) or Ranges(tensors={})


def _reruns(before: Plan, after: Plan) -> tuple[str, ...]:
    """Name the steps that are not what they were: those with changes of their own say so."""
    old = {step.name: step for step in before.steps}
    found = []
    for step in after.steps:
        then = old.get(step.name)
        if then is not None and then.digest == step.digest:
            continue
        own = then is None or any(
            "/" not in str(reason.after)
            for reason in differences(then.ingredients, step.ingredients)
        )
        found.append(step.name if own else f"{step.name} (unless what it reads stays the same)")
    return tuple(found)


def diff_revisions(between: str, recipes: Sequence[Path], store: Store) -> tuple[Diff, ...]:
    """Compare recipes at two revisions; with none named, all that both have.

    Raises:
        UsageError: git does not know the revisions, or a recipe is not in both.
    """
    with revisions(between, folder=Path()) as (before, after):
        wanted = list(recipes) or changed_recipes(before, after)
        for path in wanted:
            if path.is_absolute() or not ((before / path).is_file() and (after / path).is_file()):
                raise UsageError(f"{path}: is not in both revisions of {between}")
        shown = [(path, (str(path), str(path))) for path in wanted]
        return tuple(diff(before / p, after / p, store, names=names) for p, names in shown)
