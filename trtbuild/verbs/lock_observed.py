"""What a lock calls things: files that a recipe names, and what user code was seen to rest on."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from trtbuild.core.observed import ABSENT, INSTALLED, NO_MODULE, Looker, place_of
from trtbuild.plan.engine_runs import ENGINE_RUNS
from trtbuild.plan.observed import OBSERVED
from trtbuild.plan.plan import NOT_INSTALLED, Plan, PlannedStep

__all__ = ["list_observed", "list_used", "look_at_observed"]

AT = ": "
UNLOCKED = (*ENGINE_RUNS, "calibrate", "calibrate_natively", "locked_ranges")


def list_observed(plan: Plan, sources: Collection[str]) -> dict[str, str]:
    """Return all that the code of a plan's steps was seen to rest on, but for what `sources` has.

    What another process read beside the code counts for it too, and may differ from run to run.
    """
    return {
        f"{planned.name}{AT}{word}": value
        for planned in plan.steps
        for word, value in sorted(planned.ingredients.get(OBSERVED, {}).items())
        if word.removeprefix("file ") not in sources
    }


def list_used(plan: Plan) -> list[PlannedStep]:
    """Return the steps that a locked build rests on: it does not calibrate."""
    steps = [step for step in plan.steps if step.step.kind not in UNLOCKED]
    read = {before for step in steps for before in step.after}
    return [s for s in steps if s.step.kind != "capture_data" or s.name in read]


def look_at_observed(
    locked: Mapping[str, str], plan: Plan, looker: Looker, base: Path
) -> tuple[dict[str, str], dict[str, str], tuple[str, ...]]:
    """Return a lock's lines that can be compared, what they stand for now, and remarks on the rest.

    That is what is not installed here, and what only code that a locked build does not run reads
    from folders that are not here. Whether this store has seen the code run makes no difference.
    """
    spared = {step.name for step in plan.steps} - {step.name for step in list_used(plan)}
    then: dict[str, str] = {}
    now: dict[str, str] = {}
    lacking: dict[str, list[str]] = {}
    for line, value in locked.items():
        step, _, word = line.partition(AT)
        seen = looker.look(word)
        gone = value == INSTALLED and seen == NO_MODULE
        if gone or (seen != value and _is_elsewhere(word, seen, base, spared=step in spared)):
            lacking.setdefault(step, []).append(word)
        else:
            then[line], now[line] = value, seen
    return then, now, tuple(_remark(step, words) for step, words in lacking.items())


def _remark(step: str, words: Sequence[str]) -> str:
    told = "is not here: it is" if len(words) == 1 else "are not here: they are"
    return f"{', '.join(words)}, which {step} read, {told} not checked"


def _is_elsewhere(word: str, now: str, base: Path, *, spared: bool) -> bool:
    kind, _, name = word.partition(" ")
    if kind == "package":
        return now == NOT_INSTALLED
    if kind in ("file", "folder", "path") and now == ABSENT:
        place = place_of(name, str(base))
        folder = place if kind == "folder" else os.path.dirname(place)  # noqa: PTH120
        return spared and not os.path.isdir(folder)  # noqa: PTH112
    return spared and now == "not set"
