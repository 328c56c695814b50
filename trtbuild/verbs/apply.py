"""An apply from the recipe to the files in the build directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trtbuild import __version__
from trtbuild.core.digest import digest_of_tree
from trtbuild.core.errors import CorruptObject
from trtbuild.core.records import Record
from trtbuild.plan.explain import decide
from trtbuild.plan.lock import Lock, lock_path
from trtbuild.plan.plan import Plan
from trtbuild.plan.saved import SavedPlan, demand_fresh
from trtbuild.recipe.load import Loaded
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.expectations import expected_seconds
from trtbuild.store.store import Store
from trtbuild.store.upkeep import note_lock
from trtbuild.verbs.build import build, compiled
from trtbuild.verbs.deliver import deliver, prepare
from trtbuild.verbs.locking import refuse_results
from trtbuild.verbs.record import files, gather, settled

__all__ = ["Applied", "Page", "apply"]

Page = Callable[[Record], str]
MOST_TRIES = 3


@dataclass(frozen=True)
class Applied:
    """What an apply did."""

    record: Record
    directory: Path
    changed: tuple[str, ...]
    """Paths below `directory` that this apply wrote."""
    passed: bool
    """Every gate passed."""


def apply(  # noqa: PLR0913  # all that a user may ask for
    loaded: Loaded,
    store: Store,
    *,
    executor: Executor,
    directory: Path,
    targets: Sequence[str],
    listener: Listener,
    pages: Mapping[str, Page],
    saved: SavedPlan | None = None,
    lock: Lock | None = None,
) -> Applied:
    """Build what a recipe asks for and place it, with `pages` rendered from its record.

    Where something in the store turns out damaged, all that the plan would use of it is checked,
    and what is damaged is made again.

    Raises:
        PlanStale: it would not be what the `saved` plan says.
        LockMismatch: what was built is not what the lock says; nothing is placed.
        StepFailed: a step failed; what other steps made is in the store, nothing is placed.
        CorruptObject: what was made again was damaged again.
    """
    begin = time.perf_counter()
    prepare(directory)
    with store.using():
        made, notes = compiled(loaded, store, executor, targets=targets, fetch=True, lock=lock)
        decisions = decide(made, store)
        if saved is not None:
            demand_fresh(saved, made, decisions)
        listener.planned(made, decisions)
        listener.expected(expected_seconds(made.recipe, decisions, store))
        delivery = _Delivery(directory, pages, whole=not targets, lock=lock)
        record, changed = _tried(
            lambda: _go(loaded, made, store, notes, delivery, executor, listener),
            mend=lambda error: _weed(made, store, listener, error),
        )
        if lock is not None:
            note_lock(store, lock_path(loaded.file))
    passed = record.comparison is None or all(v.passed for v in record.comparison.verdicts)
    seconds = round(time.perf_counter() - begin, 3)
    return Applied(record.model_copy(update={"seconds": seconds}), directory, changed, passed)


@dataclass(frozen=True)
class _Delivery:
    directory: Path
    pages: Mapping[str, Page]
    whole: bool
    lock: Lock | None


def _tried(
    go: Callable[[], tuple[Record, tuple[str, ...]]], *, mend: Callable[[CorruptObject], None]
) -> tuple[Record, tuple[str, ...]]:
    """Go on where something in the store turned out damaged, once that is mended; not for ever."""
    for _ in range(MOST_TRIES - 1):
        try:
            return go()
        except CorruptObject as error:
            mend(error)
    return go()


def _go(  # all that an apply consists of
    loaded: Loaded,
    made: Plan,
    store: Store,
    notes: tuple[str, ...],
    delivery: _Delivery,
    executor: Executor,
    listener: Listener,
) -> tuple[Record, tuple[str, ...]]:
    outcomes = build(loaded, made, store, executor, listener)
    if delivery.lock is not None:
        refuse_results(loaded, delivery.lock, outcomes, store)
    record = gather(loaded, made, outcomes, store, notes=notes)
    page = settled(record)
    changed = deliver(
        delivery.directory,
        store,
        artifacts=files(outcomes, loaded.recipe),
        pages={name: partial(render, page) for name, render in delivery.pages.items()},
        basis=digest_of_tree([__version__, page.model_dump(mode="json")]),
        whole=delivery.whole,
    )
    return record, changed


def _weed(plan: Plan, store: Store, listener: Listener, error: CorruptObject) -> None:
    """Remove all that is damaged of what a plan would reuse, and tell of it."""
    for planned in plan.steps:
        action = store.action(planned.digest)
        message = error.message
        for artifact in action.artifacts if action else ():
            try:
                store.verify(artifact)
            except CorruptObject as damaged:
                message = damaged.message
        if action is not None and not store.complete(action):
            listener.damaged(planned.name, message)
