"""Plan, PlannedStep; ingredients and digests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from trtbuild.core.digest import digest_of_tree, write_canonical_json
from trtbuild.core.late_options import find_later_fields
from trtbuild.core.needs import OPTIONAL
from trtbuild.core.options import Options, find_location_fields
from trtbuild.steps.base import Pinned, Ref, Step, StepValue
from trtbuild.steps.held_files import iterate_leaves

__all__ = [
    "NOT_INSTALLED",
    "Plan",
    "PlannedStep",
    "collect_ingredients",
    "count_waiting",
    "iterate_inputs",
    "iterate_pinned",
    "list_params",
    "plan_steps",
    "write_contents",
]

NOT_INSTALLED = "not installed"
"""The version of a package that is a fact of a step and is not here."""


class PlannedStep(Options):
    """A step with its name, and all that it will be made of."""

    name: str
    step: StepValue
    ingredients: dict[str, Any]
    digest: str
    deferred: str = ""
    """Why this machine cannot run it; empty where it can."""
    facts: dict[str, str] = {}
    """The facts that it names, as they are where it would run."""

    @cached_property  # asked for at each turn of a walk, and there may be thousands of files
    def after(self) -> tuple[str, ...]:
        """The names of the steps that it reads from, each once, in field order."""
        return tuple(dict.fromkeys(ref.step for _, ref in iterate_inputs(self.step)))


class Plan(Options):
    """The steps of a recipe, in an order in which they can run."""

    recipe: str
    facts: dict[str, str]
    steps: tuple[PlannedStep, ...]

    def cut_after(self, names: tuple[str, ...]) -> "Plan":
        """Return the plan of the named steps and all that they need."""
        wanted = set(names)
        for planned in reversed(self.steps):
            if planned.name in wanted:
                wanted |= set(planned.after)
        kept = tuple(planned for planned in self.steps if planned.name in wanted)
        return Plan.model_construct(recipe=self.recipe, facts=self.facts, steps=kept)


def plan_steps(
    recipe: str,
    steps: Mapping[str, Step],
    *,
    facts: Mapping[str, str],
    deferred: Mapping[str, str],
    elsewhere: Mapping[str, Mapping[str, str]] | None = None,
    observe: Callable[[Step, dict[str, Any], Mapping[str, str]], dict[str, Any]] | None = None,
) -> Plan:
    """Give every step its digest; a step's inputs must stand before it.

    `elsewhere` has other facts, by the step that runs where they hold; `observe` adds to what a
    step declares all that its code was seen to rest on.
    """
    digests: dict[str, str] = {}
    planned = []
    for name, step in steps.items():
        there = (elsewhere or {}).get(name, facts)
        tree = collect_ingredients(step, digests, there)
        tree = tree if observe is None else observe(step, tree, there)
        digests[name] = digest_of_tree(tree)
        planned.append(
            # Built from values that are valid already; to validate them again takes time.
            PlannedStep.model_construct(
                name=name,
                step=step,
                ingredients=tree,
                digest=digests[name],
                deferred=deferred.get(name, ""),
                facts=tree["facts"],
            )
        )
    return Plan.model_construct(recipe=recipe, facts=dict(facts), steps=tuple(planned))


def count_waiting(steps: Sequence[PlannedStep]) -> dict[str, int]:
    """Return for each step how many others wait for it, each for the one before, at most."""
    waiting = {planned.name: 0 for planned in steps}
    for planned in reversed(steps):
        for before in planned.after:
            waiting[before] = max(waiting[before], waiting[planned.name] + 1)
    return waiting


def collect_ingredients(
    step: Step, digests: Mapping[str, str], facts: Mapping[str, str]
) -> dict[str, Any]:
    """Collect all that may change what `step` makes, and nothing else."""
    inputs = {path: f"{digests[ref.step]}/{ref.output}" for path, ref in iterate_inputs(step)}
    return _tree(step, inputs, facts)


def write_contents(
    step: Step, contents: Mapping[str, str], *, facts: Mapping[str, str], caveats: tuple[str, ...]
) -> str:
    """Return, as canonical JSON, a step with its inputs' contents (`step/output` → digest).

    Two steps with the same text make the same, however their inputs came about. The caveats
    that it inherits count, since they stand in what it writes.
    """
    inputs = {path: contents[f"{ref.step}/{ref.output}"] for path, ref in iterate_inputs(step)}
    return write_canonical_json([_tree(step, inputs, facts), list(caveats)])


def iterate_inputs(step: Step) -> Iterator[tuple[str, Ref]]:
    """Yield every input that another step makes, with the path of its field."""
    for path, value in iterate_leaves(step):
        if isinstance(value, Ref):
            yield path, value


def _tree(step: Step, inputs: dict[str, str], facts: Mapping[str, str]) -> dict[str, Any]:
    pinned = {path: leaf.digest for path, leaf in iterate_leaves(step) if isinstance(leaf, Pinned)}
    params = list_params(step)
    params.pop("kind")
    return {
        "kind": step.kind,
        "version": step.version,
        "params": params,
        "inputs": {**inputs, **pinned},
        "facts": {
            name: facts.get(name, NOT_INSTALLED)
            for name in step.fact_names()
            if name not in OPTIONAL or name in facts
        },
    }


def iterate_pinned(step: Step) -> Iterator[tuple[str, str]]:
    """Yield path and digest of every file on disk that a step reads."""
    for _, leaf in iterate_leaves(step):
        if isinstance(leaf, Pinned):
            yield leaf.path, leaf.digest


def list_params(value: Any) -> Any:
    """Return an option tree without its inputs, its locations, and defaults that came later."""
    if isinstance(value, BaseModel):
        left_out, later = find_location_fields(type(value)), find_later_fields(type(value))
        left_out |= {name for name, usual in later.items() if getattr(value, name) == usual}
        return {
            name: list_params(getattr(value, name))
            for name in type(value).model_fields
            if name not in left_out and not _is_input(getattr(value, name))
        }
    if isinstance(value, tuple):
        return [list_params(item) for item in value if not _is_input(item)]
    if isinstance(value, dict):
        return {key: list_params(item) for key, item in value.items()}
    return value


def _is_input(value: Any) -> bool:
    return isinstance(value, Ref | Pinned)
