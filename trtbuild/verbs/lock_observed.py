"""What user code was seen to rest on, in a lock: a line a thing, by the step that ran the code."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from trtbuild.core.observed import ABSENT, Looker, place_of
from trtbuild.plan.observed import OBSERVED
from trtbuild.plan.plan import NOT_INSTALLED, Plan

__all__ = ["list_observed", "look_again_at"]

AT = ": "


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


def look_again_at(
    observed: Mapping[str, str], looker: Looker, *, base: Path, spared: Collection[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what a lock's lines stand for now, and remarks on those that are not compared.

    That is what is not installed here, and what only code of `spared` steps reads, which a locked
    build does not run, from folders that are not here. Whether this store has seen the code run
    makes no difference.
    """
    found, remarks = {}, []
    for line, then in observed.items():
        step, _, word = line.partition(AT)
        now = looker.look(word)
        if now != then and _is_elsewhere(word, now, base, spared=step in spared):
            remarks.append(f"{word}, which {step} read, is not here: it is not checked")
        else:
            found[line] = now
    return found, tuple(remarks)


def _is_elsewhere(word: str, now: str, base: Path, *, spared: bool) -> bool:
    kind, _, name = word.partition(" ")
    if kind == "package":
        return now == NOT_INSTALLED
    if kind in ("file", "folder", "path") and now == ABSENT:
        place = place_of(name, str(base))
        folder = place if kind == "folder" else os.path.dirname(place)  # noqa: PTH120
        return spared and not os.path.isdir(folder)  # noqa: PTH112
    return spared and now == "not set"
