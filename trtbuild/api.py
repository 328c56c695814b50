"""The verbs as functions; what the CLI and a notebook both call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import MissingDependency, RecipeError, StepFailed, UsageError
from trtbuild.core.store import Store, default_root

if TYPE_CHECKING:
    from trtbuild.core.options import Options
    from trtbuild.core.records import Outcome, Record
    from trtbuild.plan.explain import Decision
    from trtbuild.plan.plan import Plan
    from trtbuild.recipe.load import Loaded
    from trtbuild.recipe.problems import Problem
    from trtbuild.run.executor import Listener
    from trtbuild.run.facts import Gpu, Readiness
    from trtbuild.steps.base import Pinned

__all__ = ["Applied", "Planned", "apply", "doctor", "kinds", "load", "plan", "schema", "validate"]


EXTRAS = {
    "torch": "pip install 'trtbuild[torch]'",
    "pillow": "pip install 'trtbuild[media]'",
}
"""What some recipes need beyond their targets, and what installs it."""


@dataclass(frozen=True)
class Diagnosis:
    """What a machine can build."""

    python: str
    gpus: tuple[Gpu, ...]
    targets: tuple[Readiness, ...]
    extras: dict[str, str]
    """Version by distribution; empty where it is not installed."""
    installs: dict[str, str]
    """The command that installs it, by distribution."""
    store: Path


@dataclass(frozen=True)
class Planned:
    """A plan, and what would be done of it."""

    plan: Plan
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Applied:
    """What an apply did."""

    record: Record
    directory: Path
    changed: tuple[str, ...]
    """Paths below `directory` that this apply wrote."""
    passed: bool
    """Every gate passed."""


def load(path: Path) -> Loaded:
    """Read and check a recipe without touching a model, a GPU or the store.

    Raises:
        RecipeError: all that is wrong with it.
        MissingFile: it is not there.
    """
    from trtbuild.recipe.load import load as load_recipe

    return load_recipe(path)


def validate(paths: Sequence[Path]) -> tuple[Problem, ...]:
    """Check recipes and return all that is wrong with them, in order.

    Raises:
        MissingFile: one is not there.
    """
    found: list[Problem] = []
    for path in paths:
        try:
            load(path)
        except RecipeError as error:
            found += error.problems
    return tuple(found)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of recipes."""
    from trtbuild.recipe.editors import json_schema

    return json_schema()


def kinds() -> dict[str, tuple[type[Options], ...]]:
    """Return the classes of every kind, by the section of a recipe that they may stand in."""
    from typing import get_args

    from trtbuild import backends, calib, data, graph

    unions = {
        "model": graph.Model,
        "fixes": graph.Fix,
        "data": data.Source,
        "calibrator": calib.Calibrator,
        "targets": backends.Target,
    }
    # Annotated[A | B, Field(...)]: the union is the registry.
    return {section: get_args(get_args(union)[0]) for section, union in unions.items()}


def doctor() -> Diagnosis:
    """Say what this machine can build, and what is missing for the rest."""
    from trtbuild.run.facts import Installed, gpus, readiness

    facts = Installed()
    return Diagnosis(
        python=facts["python"],
        gpus=gpus(),
        targets=readiness(facts),
        extras={name: facts.get(name, "") for name in EXTRAS},
        installs=EXTRAS,
        store=default_root(),
    )


def plan(path: Path, *, targets: Sequence[str] = ()) -> Planned:
    """Say which steps of a recipe would run, and why; runs nothing and fetches nothing."""
    from trtbuild.plan.explain import decide
    from trtbuild.plan.preflight import preflight
    from trtbuild.run.weights import published

    loaded = load(path)
    store = Store(default_root())
    weights, reason = None, ""
    if loaded.recipe.model.kind == "torch":
        weights, reason = published(loaded.recipe.model, store, base=path.parent)
    made = _compile(loaded, store, weights, targets)
    decisions = decide(made, store)
    preflight(loaded, _known(decisions, store), store)
    store.digests.save()
    return Planned(made, decisions, (reason,) if reason else ())


def apply(
    path: Path,
    *,
    build_dir: Path,
    targets: Sequence[str] = (),
    jobs: int = 2,
    listener: Listener | None = None,
) -> Applied:
    """Build what a recipe asks for, and place it below `build_dir/<recipe name>/`.

    With `targets`, only those are built, and one that cannot be built here is an error.

    Raises:
        RecipeError: the recipe, alone or with the model it names, is wrong.
        StepFailed: a step failed; what other steps made is in the store, nothing is placed.
        MissingFile, MissingDependency, NotWritable: something needed is not here.
    """
    from trtbuild import __version__
    from trtbuild.core.digest import digest_of_tree
    from trtbuild.plan.explain import decide
    from trtbuild.report.html import html
    from trtbuild.report.markdown import markdown
    from trtbuild.run.deliver import deliver, prepare
    from trtbuild.run.executor import Quiet
    from trtbuild.run.record import files, gather, settled

    begin = time.perf_counter()
    listener = listener or Quiet()
    loaded = load(path)
    store = Store(default_root())
    store.prepare()
    directory = build_dir / loaded.recipe.name
    prepare(directory)
    weights, reason = _weights(loaded, store)
    made = _compile(loaded, store, weights, targets)
    listener.planned(made, decide(made, store))
    outcomes = _walk(loaded, made, store, jobs=jobs, listener=listener)
    record = gather(loaded, made, outcomes, store, notes=(reason,) if reason else ())
    page = settled(record)
    changed = deliver(
        directory,
        store,
        artifacts=files(outcomes, loaded.recipe),
        pages={"report.md": lambda: markdown(page), "report.html": lambda: html(page)},
        basis=digest_of_tree([__version__, page.model_dump(mode="json")]),
        whole=not targets,
    )
    passed = record.comparison is None or all(v.passed for v in record.comparison.verdicts)
    seconds = round(time.perf_counter() - begin, 3)
    return Applied(record.model_copy(update={"seconds": seconds}), directory, changed, passed)


def _weights(loaded: Loaded, store: Store) -> tuple[Pinned | None, str]:
    from trtbuild.run.weights import resolve

    model = loaded.recipe.model
    if model.kind != "torch":
        return None, ""
    return resolve(model, store, base=loaded.file.parent)


def _compile(loaded: Loaded, store: Store, weights: Pinned | None, targets: Sequence[str]) -> Plan:
    from trtbuild.plan.compile import compile_recipe, target_name
    from trtbuild.run.facts import Installed, missing
    from trtbuild.steps.base import Pinned

    recipe = loaded.recipe
    facts = Installed()
    lacking = {name: missing(each.capabilities, facts) for name, each in recipe.targets.items()}
    deferred = {name: reason for name, reason in lacking.items() if reason}
    _check_targets(loaded, targets, deferred)
    made = compile_recipe(
        recipe,
        base=loaded.file.parent.absolute(),
        pin=lambda path: Pinned(path=str(path), digest=store.digests.digest(path)),
        weights=weights,
        facts=facts,
        deferred=deferred,
    )
    return made.upto(tuple(target_name(name) for name in targets)) if targets else made


def _check_targets(loaded: Loaded, asked: Sequence[str], deferred: dict[str, str]) -> None:
    known = loaded.recipe.targets
    for name in asked:
        if name not in known:
            raise UsageError(
                f"{loaded.file}: there is no target `{name}`",
                hint="targets of this recipe: " + ", ".join(known),
            )
        if name in deferred:
            raise MissingDependency(
                f"target `{name}` cannot be built here: {deferred[name]}",
                hint=f"install it: {known[name].capabilities.install}",
            )


def _walk(
    loaded: Loaded, made: Plan, store: Store, *, jobs: int, listener: Listener
) -> tuple[Outcome, ...]:
    """Walk as far as the model's signature, hold the recipe against it, then walk the rest."""
    from trtbuild.plan.preflight import BEFORE, preflight
    from trtbuild.run.engine import walk
    from trtbuild.run.local import Local

    first = made.upto(tuple(step.name for step in made.steps if step.step.kind in BEFORE))
    with closing(Local(jobs)) as executor:
        known = _checked(walk(first, store, executor, listener))
        preflight(loaded, known, store)
        rest = walk(made, store, executor, listener, known={each.step: each for each in known})
    return _checked(rest)


def _checked(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """Return outcomes none of which failed.

    Raises:
        StepFailed: the first that did.
    """
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


def _known(decisions: Sequence[Decision], store: Store) -> tuple[Outcome, ...]:
    """Return the outcomes that reuse will have, without a walk."""
    from trtbuild.core.records import Outcome

    actions = [store.action(each.digest) for each in decisions if each.verdict == "reuse"]
    return tuple(
        Outcome(step=action.step, digest=action.digest, status="reused", artifacts=action.artifacts)
        for action in actions
        if action is not None
    )
