"""An apply from the recipe to the files in the build directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject, MissingFile
from trtbuild.core.frozen import frozen
from trtbuild.core.overview import Overview
from trtbuild.core.placed import BENCH, COMPARISON, TUNING
from trtbuild.plan.explain import decide
from trtbuild.plan.plan import Plan
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.expectations import estimate_seconds
from trtbuild.store.store import Store
from trtbuild.verbs.build import build_plan, compile_for_machine
from trtbuild.verbs.costliest_layers import add_costliest_layers
from trtbuild.verbs.deliver import RenderPage, prepare_directory
from trtbuild.verbs.demand_int8 import demand_delivered
from trtbuild.verbs.gated_delivery import CompleteRecord, Delivery, Placed, place_results
from trtbuild.verbs.lock_gates import add_lock_verdicts, has_lock_gates
from trtbuild.verbs.overview import make_overview
from trtbuild.verbs.result_places import list_placed_files
from trtbuild.verbs.unrun_engines import list_engine_runs

if TYPE_CHECKING:
    from trtbuild.core.records import Record
    from trtbuild.plan.lock import Lock
    from trtbuild.plan.saved_plan import SavedPlan

__all__ = ["AppliedRecipe", "RenderPage", "apply_recipe"]

MOST_TRIES = 3


@frozen
class AppliedRecipe:
    """What an apply did."""

    overview: Overview
    directory: Path
    """Where its results are: the build directory, or what says why they are not there."""
    changed: tuple[str, ...]
    """Paths below `directory` that this apply wrote."""
    passed: bool
    """Every gate passed."""
    complete: CompleteRecord

    @cached_property
    def record(self) -> Record:
        """All that there is to tell of the run; read from the store when it is asked for."""
        return self.complete(self.overview)

    def to_tree(self) -> dict[str, object]:
        """Return what programs are told of it: the whole record, and what was placed."""
        return {
            "record": self.record,
            "directory": self.directory,
            "changed": self.changed,
            "passed": self.passed,
        }


def apply_recipe(  # noqa: PLR0913  # all that a user may ask for
    loaded: LoadedRecipe,
    store: Store,
    *,
    executor: Executor,
    directory: Path,
    targets: Sequence[str],
    listener: Listener,
    pages: Mapping[str, RenderPage],
    saved: SavedPlan | None = None,
    lock: Lock | None = None,
    no_gates: bool = False,
) -> AppliedRecipe:
    """Build what a recipe asks for and place it, with `pages` rendered from its record.

    Where a gate does not pass, no model and no engine is placed, unless `no_gates` is said; what
    lies there stays. Where an engine does not run that was to be compared, all else stands: the
    record says why, and no gate on it is judged. Where something in the store turns out damaged,
    all that the plan would use of it is checked, and what is damaged is made again.

    Raises:
        PlanStale: it would not be what the `saved` plan says.
        LockMismatch: what was built is not what the lock says; nothing is placed.
        StepFailed: a step failed; what other steps made is in the store, nothing is placed. Or an
            engine holds less INT8 than was asked of it; it is placed, with its report.
        CorruptObject: what was made again was damaged again.
    """
    begin = time.perf_counter()
    remarks = prepare_directory(directory)
    with store.using():
        made, notes = compile_for_machine(
            loaded, store, executor, targets=targets, fetch=True, lock=lock
        )
        notes += (*remarks, *filter(None, [store.remark]))
        decisions = decide(made, store)
        if saved is not None:
            from trtbuild.plan.saved_plan import demand_fresh

            demand_fresh(saved, made, decisions)
        listener.planned(made, decisions)
        listener.expected(estimate_seconds(made, decisions, store))
        complete = partial(
            _make_record, loaded=loaded, store=store, facts=made.facts, directory=directory
        )
        delivery = Delivery(
            directory,
            pages,
            complete,
            whole=not targets,
            basis=_list_basis(loaded, made.facts, directory),
            no_gates=no_gates,
        )
        if has_lock_gates(loaded):
            delivery = replace(delivery, written=frozenset({COMPARISON}))
        placed = _try_and_mend(
            lambda: _go(loaded, made, store, notes, delivery, lock, executor, listener),
            mend=lambda error: _weed(made, store, listener, error),
        )
        if lock is not None:
            from trtbuild.plan.lock import find_lock
            from trtbuild.store.maintenance import note_lock

            note_lock(store, find_lock(loaded.file))
    passed = all(verdict.passed for _, verdict in placed.overview.list_verdicts())
    seconds = round(time.perf_counter() - begin, 3)
    overview = placed.overview.model_copy(update={"seconds": seconds})
    return AppliedRecipe(overview, placed.directory, placed.changed, passed, complete)


def _make_record(
    told: Overview, *, loaded: LoadedRecipe, store: Store, facts: Mapping[str, str], directory: Path
) -> Record:
    # What reads all of it takes as long to load as the rest of an apply with nothing to do.
    from trtbuild.verbs.record import make_record

    return make_record(loaded, told, store, facts=facts, directory=directory)


def _list_basis(
    loaded: LoadedRecipe, facts: Mapping[str, str], directory: Path
) -> tuple[object, ...]:
    """Return all that a record says or reads beside what its run left."""
    beside = [_digest_if_there(directory / name) for name in (TUNING, BENCH)]
    return loaded.recipe.model_dump(mode="json"), dict(facts), *beside


def _digest_if_there(path: Path) -> str:
    try:
        return digest_of_file(path)
    except MissingFile:
        return ""


def _try_and_mend(go: Callable[[], Placed], *, mend: Callable[[CorruptObject], None]) -> Placed:
    """Go on where something in the store turned out damaged, once that is mended; not for ever."""
    for _ in range(MOST_TRIES - 1):
        try:
            return go()
        except CorruptObject as error:
            mend(error)
    return go()


def _go(  # noqa: PLR0913, PLR0917  # all that an apply consists of
    loaded: LoadedRecipe,
    made: Plan,
    store: Store,
    notes: tuple[str, ...],
    delivery: Delivery,
    lock: Lock | None,
    executor: Executor,
    listener: Listener,
) -> Placed:
    runs = list_engine_runs(loaded.recipe)
    outcomes = build_plan(loaded, made, store, executor, listener, engine_runs=runs)
    if lock is not None:
        from trtbuild.verbs.lock import refuse_results

        notes += refuse_results(loaded, lock, outcomes, store, plan=made)
    notes += tuple(
        f"{step}: is made of so many files that the store cannot remember it, and runs each time"
        for step in dict.fromkeys(store.unkept)
    )
    notes += store.list_troubles()
    overview = add_lock_verdicts(make_overview(loaded, outcomes, store, notes=notes), loaded)
    if not delivery.no_gates:
        overview = add_costliest_layers(overview, loaded, store, executor, listener, lock=lock)
    files = list_placed_files(overview.outcomes, loaded.recipe)
    placed = place_results(overview, files, delivery, store)
    demand_delivered(loaded.recipe, overview.targets, placed=str(placed.directory))
    return placed


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
