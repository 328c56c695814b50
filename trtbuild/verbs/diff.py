"""Two recipes, with their locks, or two locks: what differs in meaning."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingDependency, MissingFile
from trtbuild.core.values import Ranges
from trtbuild.measure.metrics import METRIC_ROWS, MetricRow
from trtbuild.plan.absent_data import belongs, find_absent_data
from trtbuild.plan.difference import Change, Diff
from trtbuild.plan.explain import find_differences
from trtbuild.plan.lock import Lock, find_lock, list_differing, read_lock
from trtbuild.plan.plan import Plan
from trtbuild.plan.range_diff import compare_ranges
from trtbuild.recipe.load import LoadedRecipe, load_recipe
from trtbuild.run.executor import Executor
from trtbuild.store.store import Store
from trtbuild.verbs.build import compile_for_machine
from trtbuild.verbs.diff_demands import find_loosened
from trtbuild.verbs.diff_figures import compare_figures, compare_gates, judge_results
from trtbuild.verbs.diff_lists import compare_lists
from trtbuild.verbs.lock import find_built, make_static_lock

__all__ = ["diff_recipes", "sort_worst_first"]

DELIVERED = ("delivered_int8", "level")
BETTER_LOW = ("engine_size_bytes",)
WORST = 1000.0
MOST_BITS = 64.0


@dataclass(frozen=True)
class _Side:
    rests: Lock
    """What it rests on."""
    plan: Plan | None
    results: Lock | None
    """What came of it: by its lock, or by the store where it was built."""
    samples: tuple[str, ...] = ()
    """The names of the samples that it is compared on, in order, where they are known."""
    notes: tuple[str, ...] = ()


def diff_recipes(
    before: Path,
    after: Path,
    store: Store,
    executor: Executor,
    *,
    names: tuple[str, str] = ("", ""),
) -> Diff:
    """Compare two recipes, each with the lock beside it where there is one, or two locks.

    `names` are what to call the sides; by default their paths.

    Raises:
        RecipeError, MissingFile, UsageError: one of them cannot be read.
    """
    shown = (names[0] or str(before), names[1] or str(after))
    # Data that one side lacks is left out of both: else its steps would seem to differ.
    one, other = _recipe(before), _recipe(after)
    absent = {**_absent(one), **_absent(other)}
    old = _side(one, store, executor, absent, shown[0]) if one else _of_lock(before)
    new = _side(other, store, executor, absent, shown[1]) if other else _of_lock(after)
    made = _compare(old, new, shown, absent, store)
    verdict = judge_results(old.results, new.results, made.figures, made.gates, differ=made.differ)
    return made.model_copy(update={"verdict": verdict})


def _compare(
    old: _Side, new: _Side, shown: tuple[str, str], absent: Iterable[str], store: Store
) -> Diff:
    """Return all that two sides differ in, not yet judged."""
    then, now = old.results, new.results
    taken = (f"data `{name}` is not here: taken to be the same" for name in absent)
    return Diff(
        before=shown[0],
        after=shown[1],
        measures=sort_worst_first(_list_moved(then.measures, now.measures)) if then and now else (),
        targets=sort_worst_first(_list_moved(_targets(then), _targets(now)))
        if then and now
        else (),
        recipe=sort_worst_first(_list_moved(old.rests.recipe, new.rests.recipe)),
        sources=_list_moved(
            _drop_moved(old.rests.sources, new.rests.sources),
            _drop_moved(new.rests.sources, old.rests.sources),
        ),
        tools=_list_moved(old.rests.tools, new.rests.tools)
        if old.rests.tools and new.rests.tools
        else (),
        ranges=compare_ranges(_ranges(then), _ranges(now)) if then and now else None,
        reruns=_reruns(old.plan, new.plan) if old.plan and new.plan else None,
        seconds=_seconds(old.plan, new.plan, store) if old.plan and new.plan else (),
        notes=tuple(dict.fromkeys((*taken, *old.notes, *new.notes))),
        lists=compare_lists(old.rests.recipe, new.rests.recipe),
        figures=compare_figures(then, now, new.samples) if then and now else (),
        gates=compare_gates(then, now),
        loosened=find_loosened(old.rests.recipe, new.rests.recipe),
    )


def _recipe(path: Path) -> LoadedRecipe | None:
    """Read a recipe; None for a lock."""
    return None if path.suffix == ".lock" else load_recipe(path)


def _absent(loaded: LoadedRecipe | None) -> dict[str, str]:
    return {} if loaded is None else find_absent_data(loaded.recipe, loaded.file.parent.absolute())


def _of_lock(path: Path) -> _Side:
    lock = read_lock(path)
    return _Side(lock, None, lock)


def _side(
    loaded: LoadedRecipe, store: Store, executor: Executor, absent: Collection[str], shown: str
) -> _Side:
    path = loaded.file
    beside = find_lock(path)
    written = read_lock(beside) if beside.is_file() else None
    try:
        plan, _ = compile_for_machine(
            loaded, store, executor, targets=(), fetch=False, absent=absent
        )
    except (MissingFile, MissingDependency) as error:
        bare = Plan(recipe=loaded.recipe.name, facts={}, steps=())
        why = error.message.replace(f"{path.parent.absolute()}{os.sep}", "")
        note = f"{shown}: which steps rerun is not known: {why}"
        return _Side(make_static_lock(loaded, bare), None, written, notes=(note,))
    rests = make_static_lock(loaded, plan)
    if written is not None:
        gone = {n: d for n, d in written.sources.items() if belongs(n, loaded.recipe, absent)}
        rests = rests.model_copy(update={"sources": {**rests.sources, **gone}})
    # What is installed here says nothing of whether the lock is the recipe's.
    if written is not None and not list_differing(
        written.model_copy(update={"tools": rests.tools}), rests
    ):
        return _Side(rests, plan, written, _name_samples(loaded, written))
    built = find_built(loaded, plan, rests, store)
    stale = written is not None and built is None
    note = f"{shown}: its lock is not of the recipe as it stands, and is passed over"
    names = () if built is None else _name_samples(loaded, built)
    return _Side(rests, plan, built, names, (note,) if stale else ())


def _name_samples(loaded: LoadedRecipe, lock: Lock) -> tuple[str, ...]:
    """Name the samples that a recipe is compared on: by their files, or by places in the one."""
    count = lock.compared.get("samples")
    if loaded.recipe.compare is None or not isinstance(count, int):
        return ()
    data = loaded.recipe.compare.data
    files = [name for name in sorted(lock.sources) if belongs(name, loaded.recipe, (data,))]
    if len(files) == 1 and getattr(loaded.recipe.data[data], "count", None) is None:
        return tuple(f"{files[0]}[{index}]" for index in range(count))
    return tuple(files) if len(files) == count else ()


def _list_moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
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


def sort_worst_first(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Put what got worse before what did not, by how much; else in the order of names."""
    return tuple(sorted(changes, key=lambda change: (-_harm(change), change.what)))


def _harm(change: Change) -> float:
    """Return how much worse a fact got, in bits; below 0 where it got better.

    That is |log2(after / before)|: an error that grew five-hundredfold weighs 9, a cosine that
    lost 0.1 % weighs 0.0014, and a manual range that was doubled weighs 1. Of engines, a layer that
    fell back counts more than anything.
    """
    if change.bits is not None:
        return change.bits
    name = change.what.rpartition(".")[2]
    before, after = change.before, change.after
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return 0.0
    grown = _grown_bits(float(before), float(after))
    if name in DELIVERED:
        return -WORST * grown
    row: Mapping[str, MetricRow] = METRIC_ROWS  # type: ignore[assignment]  # of any name
    if name in row:
        return -grown if row[name].better == "high" else grown
    return grown if name in BETTER_LOW else 0.0


def _grown_bits(before: float, after: float) -> float:
    """Return log2(after / before); a fact that comes from or goes to 0, or below, as far as any."""
    if before > 0 and after > 0:
        return math.log2(after / before)
    return MOST_BITS * ((after > before) - (after < before))


def _bits(what: str, before: Any, after: Any) -> float | None:
    """Return what moving a manual limit does; a range of two ends shows as two facts."""
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    if not what.startswith("quantization.ranges.") or not numbers or what.endswith("]"):
        return None
    return math.log2(after / before) if before > 0 and after > 0 else None


def _drop_moved(files: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Leave out files that only lie elsewhere on the other side."""
    there = {digest for name, digest in others.items() if name not in files}
    return {name: d for name, d in files.items() if name in others or d not in there}


def _targets(lock: Lock) -> dict[str, str | int]:
    return {
        f"{name}.{field}": _tell(field, value) if isinstance(value, list) else value
        for name, target in lock.targets.items()
        for field, value in _facts(target.model_dump(mode="json"), "")
    }


def _tell(field: str, value: list[Any]) -> str:
    """Write a list as one value; of a type, how many of the layers asked for it were delivered."""
    if field.startswith("other_types."):
        asked, delivered = value
        return f"{delivered} of {asked} delivered"
    return " ".join(value)


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
            for reason in find_differences(then.ingredients, step.ingredients)
        )
        found.append(step.name if own else f"{step.name} (unless what it reads stays the same)")
    return tuple(found)


def _seconds(before: Plan, after: Plan, store: Store) -> tuple[Change, ...]:
    """Return how long the steps took that differ: those first that take the most longer."""
    old = {step.name: step.digest for step in before.steps}
    found = []
    for step in after.steps:
        if old.get(step.name) in (None, step.digest):
            continue
        then, now = store.action(old[step.name]), store.action(step.digest)
        if then is not None and now is not None and then.seconds != now.seconds:
            found.append(Change(what=step.name, before=then.seconds, after=now.seconds))
    return tuple(sorted(found, key=lambda each: (-_longer(each), each.what)))


def _longer(change: Change) -> float:
    return float(change.after or 0) - float(change.before or 0)
