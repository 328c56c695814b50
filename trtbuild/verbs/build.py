"""A recipe compiled against the place where an executor runs it, then walked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from trtbuild.core.errors import MissingDependency, StepFailed
from trtbuild.core.needs import Needs
from trtbuild.core.records import Outcome
from trtbuild.machine.interpreters import variable
from trtbuild.plan.absent import absent_data, unmeasured, without_data
from trtbuild.plan.compile import Here, compile_recipe, target_name
from trtbuild.plan.explain import Decision, decide
from trtbuild.plan.lock import Lock
from trtbuild.plan.plan import Plan
from trtbuild.plan.preflight import BEFORE, preflight
from trtbuild.recipe.load import Loaded
from trtbuild.recipe.schema import Recipe
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.walk import walk
from trtbuild.steps.base import Pinned
from trtbuild.store.store import Store
from trtbuild.verbs.delivered import demand_delivered
from trtbuild.verbs.weights import published, resolve

__all__ = ["build", "compiled", "fixed_model", "known", "timing_caches"]


def compiled(
    loaded: Loaded,
    store: Store,
    executor: Executor,
    *,
    targets: Sequence[str],
    fetch: bool,
    lock: Lock | None = None,
    absent: Collection[str] = (),
) -> tuple[Plan, tuple[str, ...]]:
    """Compile a recipe against where an executor runs it; return the plan and remarks on it.

    With `targets`, the plan builds those alone. With `fetch`, weights that the store lacks are
    downloaded first. With a `lock`, nothing is calibrated, since the ranges are the lock's, and
    data that is not here is done without, as the remarks say. Otherwise data that is `absent` makes
    a plan that cannot be walked.

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
    gone = absent_data(recipe, base) if lock is not None else {}
    weights, reason = _weights(recipe, store, base=base, fetch=fetch)
    here = Here(
        base=base,
        pin=lambda path: Pinned(path=str(path), digest=store.digests.digest(path)),
        facts=facts,
        weights=weights,
        deferred=deferred,
        elsewhere={n: each.facts for n, each in places.items() if each.facts is not facts},
        warm=dict(timing_caches(recipe, store)),
        ranges=None if lock is None else lock.table(),
        absent=gone or absent,
    )
    made = compile_recipe(recipe, here)
    made = without_data(made, gone) if gone else made
    notes = ((reason,) if reason else ()) + unmeasured(recipe, gone)
    wanted = (*(target_name(name) for name in targets), "compare")
    return made.upto(wanted) if targets else made, notes


def _weights(recipe: Recipe, store: Store, *, base: Path, fetch: bool) -> tuple[Pinned | None, str]:
    if recipe.model.kind != "torch":
        return None, ""
    look = resolve if fetch else published
    return look(recipe.model, store, base=base)


def timing_caches(recipe: Recipe, store: Store) -> Iterator[tuple[str, Path]]:
    """Yield the timing cache that each target's last build left in the store."""
    history = store.history(recipe.name)
    for name in recipe.targets:
        digest = history.get(target_name(name))
        action = None if digest is None else store.action(digest)
        for artifact in action.artifacts if action is not None else ():
            if artifact.name == "timing_cache" and artifact.size_bytes and store.has(artifact):
                yield name, store.object_path(artifact.digest)


def _check_targets(loaded: Loaded, asked: Sequence[str], deferred: Mapping[str, str]) -> None:
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
    return f"install it: {install}; or name a Python that has it: {variable(kind)}=/path/to/python"


def build(
    loaded: Loaded, made: Plan, store: Store, executor: Executor, listener: Listener
) -> tuple[Outcome, ...]:
    """Walk as far as the model's signature, hold the recipe against it, then walk the rest.

    Raises:
        RecipeError: the recipe does not fit its model or data.
        StepFailed: a step failed; the others have gone as far as they could. Or an engine holds
            less INT8 than was asked of it.
    """
    first = made.upto(tuple(step.name for step in made.steps if step.step.kind in BEFORE))
    before = _checked(walk(first, store, executor, listener))
    preflight(loaded, (*known(decide(made, store), store), *before), store)
    outcomes = {outcome.step: outcome for outcome in before}
    done = _checked(walk(made, store, executor, listener, known=outcomes))
    demand_delivered(loaded.recipe, done, store)
    return done


def fixed_model(loaded: Loaded, store: Store, executor: Executor, listener: Listener) -> Path:
    """Import a recipe's model and fix its graph, where that was not done before; return it.

    Raises:
        StepFailed: the model cannot be imported or fixed.
    """
    made, _ = compiled(loaded, store, executor, targets=(), fetch=True)
    outcomes = _checked(walk(made.upto(("fix_graph",)), store, executor, listener))
    (model,) = (each for each in outcomes[-1].artifacts if each.name == "model")
    return store.object_path(model.digest)


def _checked(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    for outcome in outcomes:
        if outcome.status == "failed":
            raise StepFailed(
                outcome.message,
                step=outcome.step,
                log=outcome.log,
                hint=outcome.hint,
                code=outcome.code,
            )
    return outcomes


def known(decisions: Sequence[Decision], store: Store) -> tuple[Outcome, ...]:
    """Return the outcomes that reuse will have, without a walk."""
    actions = [store.action(each.digest) for each in decisions if each.verdict == "reuse"]
    return tuple(
        Outcome(step=action.step, digest=action.digest, status="reused", artifacts=action.artifacts)
        for action in actions
        if action is not None
    )
