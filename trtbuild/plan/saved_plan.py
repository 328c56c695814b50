"""A plan in a file: written to be looked at, and held to when it is applied."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from trtbuild.core.digest import digest_of_tree
from trtbuild.core.errors import PlanStale, UsageError
from trtbuild.core.files import relate_path, write_whole
from trtbuild.core.options import Options
from trtbuild.core.regular_files import read_regular
from trtbuild.plan.explain import Decision, StepVerdict, find_differences
from trtbuild.plan.plan import Plan

__all__ = ["SavedPlan", "demand_fresh", "read_saved_plan", "save_plan"]

MOST_REASONS = 6
MOST_BRACKETS = 500_000
"""A plan names files by the thousand, in few lists."""


class SavedStep(Options):
    """A step as it was planned."""

    name: str
    digest: str
    verdict: StepVerdict
    ingredients: dict[str, Any]


class SavedPlan(Options):
    """What a plan promised."""

    format: Literal[1] = 1
    recipe: str
    """The recipe's file, relative to the plan's."""
    targets: tuple[str, ...]
    steps: tuple[SavedStep, ...]


def save_plan(
    path: Path, *, recipe: Path, targets: Sequence[str], plan: Plan, decisions: Sequence[Decision]
) -> None:
    """Write a plan down."""
    pairs = zip(plan.steps, decisions, strict=True)
    saved = SavedPlan(
        recipe=relate_path(_without_links(recipe), path.parent.resolve()),
        targets=tuple(targets),
        steps=tuple(
            SavedStep(
                name=planned.name,
                digest=planned.digest,
                verdict=decision.verdict,
                ingredients=planned.ingredients,
            )
            for planned, decision in pairs
        ),
    )
    write_whole(path, (saved.model_dump_json(indent=1) + "\n").encode())


def read_saved_plan(path: Path) -> tuple[SavedPlan, Path]:
    """Return a saved plan and the recipe it is of.

    Raises:
        MissingFile: it is not there.
        UsageError: it is no saved plan.
    """
    try:
        data = read_regular(path)
        if data.count(b"[") + data.count(b"{") > MOST_BRACKETS:
            raise ValueError  # noqa: TRY301  # read as values, it would take gigabytes
        saved = SavedPlan.model_validate_json(data)
        twice = len({step.name for step in saved.steps}) < len(saved.steps)
        if twice or any(digest_of_tree(step.ingredients) != step.digest for step in saved.steps):
            raise ValueError  # noqa: TRY301  # edited: it does not say what was planned
    except ValueError:
        raise UsageError(
            f"{path}: is no saved plan of this trtbuild",
            hint=f"write one: trtbuild plan RECIPE --out {path}",
        ) from None
    recipe = path.parent / saved.recipe
    plain = Path(os.path.normpath(recipe))
    # Behind a link, `..` is not what the text makes of it.
    return saved, plain if plain.parent.resolve() == recipe.parent.resolve() else recipe


def _without_links(recipe: Path) -> Path:
    """Return a recipe by its own name in the folder that it lies in."""
    return recipe.parent.resolve() / recipe.name


def demand_fresh(saved: SavedPlan, plan: Plan, decisions: Sequence[Decision]) -> None:
    """Hold a plan to the one that was saved.

    Raises:
        PlanStale: it would do something else; says what.
    """
    now = {planned.name: planned for planned in plan.steps}
    then = {step.name: step for step in saved.steps}
    found = [f"{name}: is no step any more" for name in then.keys() - now.keys()]
    found += [f"{name}: is a new step" for name in now.keys() - then.keys()]
    for decision in decisions:
        step = then.get(decision.step)
        if step is None:
            continue
        changed = [
            reason.text()
            for reason in find_differences(step.ingredients, now[step.name].ingredients)
            if "/" not in str(reason.after)  # the step before is named on a line of its own
        ]
        found += [f"{step.name}: {text}" for text in changed]
        if not changed and (told := _tell_verdict(step.verdict, decision.verdict)):
            found.append(f"{step.name}: {told}")
    if found:
        more = [f"  and {len(found) - MOST_REASONS} more"] if len(found) > MOST_REASONS else []
        raise PlanStale(
            "the saved plan is stale:",
            lines=[*(f"  {each}" for each in sorted(found)[:MOST_REASONS]), *more],
            hint="plan again, look at it, and apply that",
        )


def _tell_verdict(then: StepVerdict, now: StepVerdict) -> str:
    """Say what would be done that was not to be, or not be done that was; nothing of less work."""
    if then == "reuse" and now == "run":
        return "was to be reused, and has left the store"
    if then == "deferred" and now != "deferred":
        return "was to be deferred, and can be built here"
    if now == "deferred" and then != "deferred":
        return "was to be built, and cannot be here"
    return ""
