"""Two-level look-up, as compilers' caches do it: declared → what was read last → a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trtbuild.core.digest import digest_of_tree
from trtbuild.core.errors import CorruptObject
from trtbuild.core.observed import Looker
from trtbuild.plan.plan import Plan, PlannedStep, iterate_inputs
from trtbuild.steps.base import Step
from trtbuild.store.observed import note_observed, read_observed
from trtbuild.store.store import Store

__all__ = [
    "OBSERVED",
    "RecallObserved",
    "add_observed",
    "chain_anew",
    "look_again",
    "make_looker",
    "settle",
]

OBSERVED = "observed"
RecallObserved = Callable[[Step, dict[str, Any], Mapping[str, str]], dict[str, Any]]
"""Adds to a step's ingredients what its code was seen to rest on; it is given the facts."""


def make_looker(base: str, store: Store, facts: Mapping[str, str]) -> Looker:
    """Return what says what things are now, digests from the store's memory where they stand."""
    return Looker(Path(base), digest=store.digests.digest, facts=facts)


def add_observed(
    step: Step, declared: dict[str, Any], facts: Mapping[str, str], store: Store
) -> dict[str, Any]:
    """Return the ingredients of a step with all that its code was seen to rest on, as it is now.

    Of several runs, the one counts that rested on what is there now and whose result is in the
    store; where there is none, the latest.
    """
    code = step.user_code()
    if code is None:
        return declared
    looker = make_looker(code.base, store, facts)
    latest: dict[str, Any] | None = None
    for words in read_observed(store, digest_of_tree(declared)):
        tree = {**declared, OBSERVED: looker.look_all(words)}
        if store.complete(store.action(digest_of_tree(tree)), step.outputs):
            return tree
        latest = latest or tree
    return latest or {**declared, OBSERVED: looker.look_all(code.declared())}


def look_again(planned: PlannedStep, facts: Mapping[str, str], store: Store) -> PlannedStep:
    """Return a planned step with what its code rests on as it is now."""
    if OBSERVED not in planned.ingredients:
        return planned
    declared = {key: each for key, each in planned.ingredients.items() if key != OBSERVED}
    return _with(planned, add_observed(planned.step, declared, facts, store))


def settle(
    planned: PlannedStep, seen: Mapping[str, str], facts: Mapping[str, str], store: Store
) -> PlannedStep:
    """Return a step that ran, with all that its code rested on; the store knows of it from now on.

    Raises:
        CorruptObject: a file is not what it was when the code had read it.
    """
    code = planned.step.user_code()
    assert code is not None  # noqa: S101  # who asks knows
    now = make_looker(code.base, store, facts).look_all({**code.declared(), **seen})
    for word, value in seen.items():
        if word.startswith("file ") and now[word] != value:
            name = word.partition(" ")[2]
            raise CorruptObject(f"{name}: was changed while it was read", hint="run it again")
    declared = {key: each for key, each in planned.ingredients.items() if key != OBSERVED}
    found = _with(planned, {**declared, OBSERVED: now})
    note_observed(store, digest_of_tree(declared), found.digest, now)
    return found


def _with(planned: PlannedStep, tree: dict[str, Any]) -> PlannedStep:
    return PlannedStep.model_construct(
        name=planned.name,
        step=planned.step,
        ingredients=tree,
        digest=digest_of_tree(tree),
        deferred=planned.deferred,
        facts=planned.facts,
    )


def chain_anew(plan: Plan, known: Mapping[str, str]) -> Plan:
    """Return a plan whose steps stand on what those before them turned out to be.

    What user code rests on is known when it has run, and so is the digest of its step.
    """
    before = {planned.name: planned.digest for planned in plan.steps}
    if all(before.get(name, digest) == digest for name, digest in known.items()):
        return plan
    digests: dict[str, str] = {}
    steps = []
    for planned in plan.steps:
        refs = dict(iterate_inputs(planned.step))
        moved = {
            path: f"{digests[ref.step]}/{ref.output}"
            for path, ref in refs.items()
            if digests[ref.step] != before[ref.step]
        }
        tree = planned.ingredients
        if moved:
            tree = {**tree, "inputs": {**tree["inputs"], **moved}}
        made = _with(planned, tree) if moved else planned
        digests[planned.name] = known.get(planned.name, made.digest)
        steps.append(made)
    return Plan.model_construct(recipe=plan.recipe, facts=plan.facts, steps=tuple(steps))
