"""A recipe compiled against the place where an executor runs it, then walked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.action import Outcome
from trtbuild.core.errors import MissingDependency, StepFailed
from trtbuild.core.needs import Needs
from trtbuild.machine.facts import list_doubts
from trtbuild.machine.interpreters import name_variable
from trtbuild.plan.absent_data import drop_absent_data, find_absent_data, list_unmeasured
from trtbuild.plan.comparison import SomeSamples
from trtbuild.plan.compile import CompileContext, compile_recipe, name_target_step
from trtbuild.plan.engine_runs import name_engine_comparison
from trtbuild.plan.explain import Decision, decide
from trtbuild.plan.observed import add_observed
from trtbuild.plan.plan import Plan
from trtbuild.plan.preflight import BEFORE, check_against_model
from trtbuild.plan.preview import PreviewRequest
from trtbuild.plan.refitting import RefitRequest
from trtbuild.plan.sensitivity import SENSITIVITY
from trtbuild.plan.timing import TimedData
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.schema import LayerMeasurement, Recipe
from trtbuild.sources.base import Source
from trtbuild.steps.base import Pinned
from trtbuild.store.store import Store
from trtbuild.verbs.engine_places import find_engine_places
from trtbuild.verbs.unrun_engines import is_spared

if TYPE_CHECKING:
    from trtbuild.plan.lock import Lock
    from trtbuild.run.executor import Executor, Listener

__all__ = [
    "build_plan",
    "compile_for_machine",
    "find_timing_caches",
    "list_known_outcomes",
    "make_fixed_model",
    "walk_all",
]


def compile_for_machine(  # noqa: PLR0913  # all that a plan rests on
    loaded: LoadedRecipe,
    store: Store,
    executor: Executor,
    *,
    targets: Sequence[str],
    fetch: bool,
    lock: Lock | None = None,
    absent: Collection[str] = (),
    layers: LayerMeasurement | None = None,
    preview: PreviewRequest | None = None,
    some: SomeSamples | None = None,
    known: tuple[str, str] | None = None,
    timed: TimedData | None = None,
    refit: RefitRequest | None = None,
) -> tuple[Plan, tuple[str, ...]]:
    """Compile a recipe against where an executor runs it; return the plan and remarks on it.

    With `targets`, the plan builds those alone. With `fetch`, weights that the store lacks are
    downloaded first. With a `lock`, nothing is calibrated, since the ranges are the lock's, and
    data that is not here is done without, as the remarks say. Otherwise data that is `absent` makes
    a plan that cannot be walked. `layers` adds the steps that measure layers one by one, `preview`
    those that show samples, `timed` one that takes some out; outputs are compared on all samples,
    or on `some`; what is `known` of the former is not run again. A `refit` has an engine take other
    weights, where it would be built.

    Raises:
        MissingFile: a file that the recipe names is not there, or cannot be fetched.
        UsageError: there is no such target.
        MissingDependency: a target that was asked for cannot be built here.
    """
    recipe, base = loaded.recipe, loaded.file.parent.absolute()
    facts = executor.place(Needs()).facts
    places = {name: executor.place(each.needs()) for name, each in recipe.targets.items()}
    deferred = {name: place.hindrance for name, place in places.items() if place.hindrance}
    _check_targets(loaded, targets, deferred)
    runners, unrun = find_engine_places(recipe, executor, places)
    gone = find_absent_data(recipe, base) if lock is not None else {}
    weights, reason = _weights(recipe.model, store, base=base, fetch=fetch)
    compared = None if recipe.compare is None else recipe.compare.reference
    reference_weights, doubt = _weights(compared, store, base=base, fetch=fetch)
    here = CompileContext(
        base=base,
        pin=lambda path: Pinned(path=str(path), digest=store.digests.digest(path)),
        facts=facts,
        weights=weights,
        reference_weights=reference_weights,
        deferred=deferred,
        elsewhere={n: each.facts for n, each in places.items() if each.facts is not facts},
        runners=runners,
        warm=dict(find_timing_caches(recipe, store)),
        ranges=None if lock is None else lock.table(),
        observe=lambda step, tree, facts: add_observed(step, tree, facts, store),
        absent=gone or absent,
        layers=layers,
        preview=preview,
        some=some,
        known=known,
        timed=timed,
        refit=refit,
    )
    made = compile_recipe(recipe, here)
    made = drop_absent_data(made, gone) if gone else made
    asked = (facts, *(each.facts for each in places.values()))
    doubts = dict.fromkeys(doubt for each in asked for doubt in list_doubts(each))
    seeded = dict.fromkeys(filter(None, (reason, doubt)))
    notes = (*seeded, *doubts, *unrun, *list_unmeasured(recipe, gone))
    return _cut_to(made, targets), notes


def _cut_to(plan: Plan, targets: Sequence[str]) -> Plan:
    """Return a plan that builds and compares the targets alone, where any are named."""
    engines = (name_engine_comparison(name) for name in targets)
    wanted = (*(name_target_step(name) for name in targets), "compare", SENSITIVITY, *engines)
    return plan.cut_after(wanted) if targets else plan


def _weights(
    model: Source | None, store: Store, *, base: Path, fetch: bool
) -> tuple[Pinned | None, str]:
    from trtbuild.verbs.weights import find_published, resolve_weights

    if model is None:
        return None, ""
    if fetch:
        model.fetch()
    look = resolve_weights if fetch else find_published
    return look(model, store, base=base)


def find_timing_caches(recipe: Recipe, store: Store) -> Iterator[tuple[str, Path]]:
    """Yield the timing cache that each target's last build left in the store."""
    history = store.history(recipe.name)
    for name in recipe.targets:
        digest = history.get(name_target_step(name))
        action = None if digest is None else store.action(digest)
        for artifact in action.artifacts if action is not None else ():
            if artifact.name == "timing_cache" and artifact.size_bytes and store.has(artifact):
                yield name, store.object_path(artifact.digest)


def _check_targets(loaded: LoadedRecipe, asked: Sequence[str], deferred: Mapping[str, str]) -> None:
    for name in asked:
        target = loaded.target(name)
        if name in deferred:
            raise MissingDependency(
                f"target `{name}` cannot be built here: {deferred[name]}",
                hint=_way_out(target.capabilities.install, target.kind, deferred[name]),
            )


def _way_out(install: str, kind: str, reason: str) -> str:
    if "GPU" in reason:
        return "apply the recipe where that GPU is; a lock carries the ranges there"
    variable = name_variable(kind)
    return f"install it: {install}; or name a Python that has it: {variable}=/path/to/python"


def build_plan(
    loaded: LoadedRecipe,
    made: Plan,
    store: Store,
    executor: Executor,
    listener: Listener,
    *,
    engine_runs: Collection[str] = (),
) -> tuple[Outcome, ...]:
    """Walk as far as the model's signature, hold the recipe against it, then walk the rest.

    One of the `engine_runs` may fail: its outcome says so, and the others stand.

    Raises:
        RecipeError: the recipe does not fit its model or data.
        StepFailed: a step failed; the others have gone as far as they could.
    """
    from trtbuild.run.walk import walk_plan
    from trtbuild.verbs.early_checks import refuse_lacking_operators

    first = made.cut_after(tuple(step.name for step in made.steps if step.step.kind in BEFORE))
    before = _demand_success(walk_plan(first, store, executor, listener))
    decisions = decide(made, store)
    check_against_model(loaded, (*list_known_outcomes(decisions, store), *before), store)
    refuse_lacking_operators(loaded, decisions, before, store)
    outcomes = {outcome.step: outcome for outcome in before}
    walked = walk_plan(made, store, executor, listener, known=outcomes)
    return _demand_success(walked, engine_runs)


def walk_all(
    made: Plan, store: Store, executor: Executor, listener: Listener
) -> tuple[Outcome, ...]:
    """Walk a plan as it is: nothing is held against the model first.

    Raises:
        StepFailed: a step failed; the others have gone as far as they could.
    """
    from trtbuild.run.walk import walk_plan

    return _demand_success(walk_plan(made, store, executor, listener))


def make_fixed_model(
    loaded: LoadedRecipe, store: Store, executor: Executor, listener: Listener
) -> Path:
    """Import a recipe's model and fix its graph, where that was not done before; return it.

    Raises:
        StepFailed: the model cannot be imported or fixed.
    """
    made, _ = compile_for_machine(loaded, store, executor, targets=(), fetch=True)
    outcomes = walk_all(made.cut_after(("fix_graph",)), store, executor, listener)
    (model,) = (each for each in outcomes[-1].artifacts if each.name == "model")
    return store.object_path(model.digest)


def _demand_success(
    outcomes: tuple[Outcome, ...], engine_runs: Collection[str] = ()
) -> tuple[Outcome, ...]:
    for outcome in outcomes:
        if outcome.status == "failed" and not is_spared(outcome, engine_runs):
            raise StepFailed(
                outcome.message,
                step=outcome.step,
                log=outcome.log,
                hint=outcome.hint,
                code=outcome.code,
            )
    return outcomes


def list_known_outcomes(decisions: Sequence[Decision], store: Store) -> tuple[Outcome, ...]:
    """Return the outcomes that reuse will have, without a walk."""
    known = [(each, store.action(each.digest)) for each in decisions if each.verdict == "reuse"]
    return tuple(
        Outcome(step=each.step, digest=each.digest, status="reused", artifacts=action.artifacts)
        for each, action in known
        if action is not None
    )
