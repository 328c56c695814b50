"""Locks: made from what was built, and held against what is to be built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from trtbuild.core.errors import CorruptObject, MissingFile, UsageError
from trtbuild.core.needs import Needs
from trtbuild.core.placed import list_models
from trtbuild.core.records import Comparison, Outcome, TargetResult
from trtbuild.core.values import Ranges
from trtbuild.plan.absent_data import MADE, belongs, find_absent_data
from trtbuild.plan.compile import name_target_step
from trtbuild.plan.explain import Decision, decide
from trtbuild.plan.lock import Lock, LockedTarget, find_lock, list_differing, read_lock
from trtbuild.plan.lock_tools import list_moved_tools, list_own_tools
from trtbuild.plan.observed import make_looker
from trtbuild.plan.plan import NOT_INSTALLED, Plan, iterate_pinned, list_params
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor
from trtbuild.store.store import Store
from trtbuild.verbs.benching.locked import find_locked_speed
from trtbuild.verbs.build import compile_for_machine
from trtbuild.verbs.lock_figures import lock_figures
from trtbuild.verbs.lock_mismatch import (
    list_hopeless,
    list_other_results,
    refuse_mismatch,
    refuse_other,
    refuse_tools,
)
from trtbuild.verbs.lock_names import flatten_options, name_file
from trtbuild.verbs.lock_observed import list_observed, list_used, look_at_observed
from trtbuild.verbs.plan import plan_recipe
from trtbuild.verbs.run_artifacts import RunArtifacts, list_engine_comparisons

__all__ = [
    "add_results",
    "compare_with_lock",
    "find_built",
    "lock_built",
    "lock_target",
    "make_static_lock",
    "refuse_results",
]

TACTICS, BYTES = 1, 2
"""Levels of guarantee: the engine's tactics are the same; its bytes are."""


def make_static_lock(loaded: LoadedRecipe, plan: Plan) -> Lock:
    """Return what a build rests on, as a lock without results.

    What only calibration depends on is left out: a locked build does not calibrate. So is the GPU
    that an engine was compared on: without it the build is the same.
    """
    base = loaded.file.parent.absolute()
    used = list_used(plan)
    names = {name for step in used for name in step.step.fact_names()}
    builders = {name_target_step(target): target for target in loaded.recipe.targets}
    own = {builders[s.name]: list_own_tools(s, plan.facts) for s in used if s.name in builders}
    pins = {path: digest for step in plan.steps for path, digest in iterate_pinned(step.step)}
    sources = {name_file(path, base): digest for path, digest in sorted(pins.items())}
    return Lock(
        models={},
        recipe=dict(flatten_options(list_params(loaded.recipe))),
        sources=sources,
        observed=list_observed(plan, sources),
        tools={name: plan.facts.get(name, NOT_INSTALLED) for name in sorted(names)},
        targets={},
        measures={},
        target_tools={name: tools for name, tools in own.items() if tools},
    )


def lock_built(loaded: LoadedRecipe, store: Store, executor: Executor) -> Lock:
    """Return the lock of what was built of a recipe as it stands.

    Targets that cannot be built here are taken over from the lock there is.

    Raises:
        UsageError: it is not built as it stands.
    """
    found = plan_recipe(loaded, store, executor, targets=())
    missing = _missing(found.decisions)
    if missing:
        raise UsageError(
            f"{loaded.file}: is not built as it stands: {', '.join(missing[:3])}"
            + (", ..." if len(missing) > 3 else ""),  # noqa: PLR2004
            hint=f"trtbuild apply {loaded.file}",
        )
    rests = make_static_lock(loaded, found.plan)
    rests = _add_foreign_tools(rests, found.plan, _before(loaded.file))
    made = _lock_decisions(found.decisions, loaded, rests, store)
    speed = dict(find_locked_speed(made, loaded.recipe.name, store))
    return made.model_copy(update={"speed": speed})


def _add_foreign_tools(rests: Lock, plan: Plan, before: Lock | None) -> Lock:
    """Take over the versions of tools that are not installed here from the lock there is."""
    if before is None:
        return rests
    away = {step.name for step in plan.steps if NOT_INSTALLED in step.facts.values()}
    lacking = {name for name, version in rests.tools.items() if version == NOT_INSTALLED}
    kept = {name: before.tools[name] for name in lacking if name in before.tools}
    own = {n: t for n, t in before.target_tools.items() if name_target_step(n) in away}
    tools = {"tools": {**rests.tools, **kept}, "target_tools": {**own, **rests.target_tools}}
    return rests.model_copy(update=tools)


def find_built(loaded: LoadedRecipe, plan: Plan, rests: Lock, store: Store) -> Lock | None:
    """Return what came of a plan, if all of it that can be built here is in the store."""
    decisions = decide(plan, store)
    try:
        return None if _missing(decisions) else _lock_decisions(decisions, loaded, rests, store)
    except CorruptObject:
        return None  # removed, and to be made again by an apply


def _missing(decisions: Iterable[Decision]) -> list[str]:
    return [each.step for each in decisions if each.verdict in ("run", "maybe")]


def _lock_decisions(
    decisions: Iterable[Decision], loaded: LoadedRecipe, rests: Lock, store: Store
) -> Lock:
    outcomes = tuple(_reuse(each.step, each.digest, store) for each in decisions)
    return add_results(rests, loaded, outcomes, store)


def _reuse(step: str, digest: str, store: Store) -> Outcome:
    action = store.action(digest)
    artifacts = action.artifacts if action is not None else ()
    return Outcome(step=step, digest=digest, status="reused", artifacts=artifacts)


def add_results(
    lock: Lock, loaded: LoadedRecipe, outcomes: tuple[Outcome, ...], store: Store
) -> Lock:
    """Return a lock with what was built as its results."""
    found = RunArtifacts(outcomes, store)
    ranges = found.read("calibrate", "ranges", Ranges)
    comparison = found.read("compare", "comparison", Comparison)
    results = {
        name: found.read(name_target_step(name), "result", TargetResult)
        for name in loaded.recipe.targets
    }
    there = _before(loaded.file)
    before = there.targets if there is not None else {}
    return lock.model_copy(
        update={
            "models": dict(_models(outcomes, loaded.recipe.quantized)),
            "samples": None if ranges is None else ranges.samples,
            "ranges": None if ranges is None else ranges.tensors,
            "targets": {
                name: before.get(name) if result is None else lock_target(result)
                for name, result in results.items()
                if result is not None or name in before
            },
            **lock_figures(comparison, list_engine_comparisons(loaded.recipe, found)),
        }
    )


def _before(recipe: Path) -> Lock | None:
    path = find_lock(recipe)
    try:
        return read_lock(path) if path.is_file() else None
    except UsageError:
        return None  # about to be written anew


def _models(outcomes: Iterable[Outcome], quantized: str) -> Iterator[tuple[str, str]]:
    models = list_models(quantized)
    names = {(model.step, "model"): name for name, model in models.items()}
    names |= {(model.step, "weights"): f"{name}_weights" for name, model in models.items()}
    for outcome in outcomes:
        for artifact in outcome.artifacts:
            name = names.get((outcome.step, artifact.name))
            if name is not None:
                yield name, artifact.digest


def lock_target(result: TargetResult) -> LockedTarget:
    """Return what a lock keeps of an engine."""
    return LockedTarget(
        backend=result.backend,
        built_for=result.built_for,
        engine_size_bytes=result.engine_size_bytes,
        asked_int8=result.asked_int8,
        delivered_int8=result.delivered_int8,
        other_types=result.other_types,
        level=result.level,
        tactics=result.tactics if result.level >= TACTICS else "",
        engine_digest=result.engine_digest if result.level >= BYTES else "",
        options=result.options,
        versions=result.versions,
    )


def compare_with_lock(
    loaded: LoadedRecipe, store: Store, executor: Executor, *, building: bool = False
) -> tuple[Lock, tuple[str, ...]]:
    """Return the lock of a recipe, held against what a build would rest on now, and what was not.

    The files of data sets that are not here are not compared: what they gave stands in the lock.
    Another version of a tool is passed over where the store shows that the lock's bytes come of
    it; and where it is `building`, if what comes of it can be held to the lock afterwards.

    Raises:
        MissingFile, UsageError: there is no lock, or it cannot be read.
        LockMismatch: something differs; says what.
    """
    lock = read_lock(find_lock(loaded.file))
    base = loaded.file.parent.absolute()
    absent = find_absent_data(loaded.recipe, base)
    made, _ = compile_for_machine(loaded, store, executor, targets=(), fetch=False, absent=absent)
    here = {
        name: digest
        for name, digest in lock.sources.items()
        if not belongs(name, loaded.recipe, absent)
    }
    now = make_static_lock(loaded, made)
    looker = make_looker(str(base), store, executor.place(Needs()).facts)
    observed, seen, unseen = look_at_observed(lock.observed, made, looker, base)
    then = {"sources": here, "tools": now.tools, "observed": observed}
    now_too = now.model_copy(update={"observed": seen})
    refuse_mismatch(loaded.file, list_differing(lock.model_copy(update=then), now_too))
    lacking = [
        name
        for name, version in now.tools.items()
        if version == NOT_INSTALLED and lock.tools.get(name) != NOT_INSTALLED
    ]
    return lock, (
        *(f"data `{name}` is not here: its files are not checked" for name in absent),
        *(f"{name} is not here: its version is not checked" for name in lacking),
        *unseen,
        *_hold_tools(loaded, lock, now, store, executor, building=building),
    )


def _hold_tools(
    loaded: LoadedRecipe, lock: Lock, now: Lock, store: Store, executor: Executor, *, building: bool
) -> tuple[str, ...]:
    """Refuse tools of which other bytes may come; return remarks on the others that moved."""
    if (lock.tools, lock.target_tools) == (now.tools, now.target_tools):
        return ()
    try:
        plan, _ = compile_for_machine(loaded, store, executor, targets=(), fetch=False, lock=lock)
    except MissingFile as error:
        return (f"the tools are not checked: {error.message}",)
    moved = list_moved_tools(lock, plan)
    makers = [tool for tool in moved if tool.makes]
    if building:
        refuse_tools(loaded, list_hopeless(makers, lock))
        return ()
    decisions = decide(plan, store) if makers else ()
    outcomes = tuple(_reuse(each.step, each.digest, store) for each in decisions)
    made = {name for tool in makers for name in tool.makes}
    made |= {step.name for step in plan.steps if step.step.kind in MADE}
    unknown = [name for name in _missing(decisions) if name in made]
    other = () if unknown else list_other_results(lock, add_results(lock, loaded, outcomes, store))
    refuse_tools(loaded, makers if unknown or other else ())
    return tuple(tool.remark() for tool in moved)


def refuse_results(
    loaded: LoadedRecipe,
    lock: Lock,
    outcomes: tuple[Outcome, ...],
    store: Store,
    *,
    plan: Plan | None = None,
) -> tuple[str, ...]:
    """Hold what was built to the lock: models byte by byte, engines by what they deliver.

    Returns remarks on tools of the `plan` that are not the lock's, and made the same.

    Raises:
        LockMismatch: something differs; with the step whose bytes do.
    """
    moved = list_moved_tools(lock, plan) if plan is not None else ()
    found = list_other_results(lock, add_results(lock, loaded, outcomes, store))
    refuse_other(loaded, found, moved)
    return tuple(tool.remark() for tool in moved)
