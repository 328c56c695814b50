"""What a search comes to: verified, told, and written as lines of the recipe."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from trtbuild.core.tuning import Trial, Tuning
from trtbuild.recipe.edit import edit_section
from trtbuild.verbs.tuning.candidates import SECTION, Candidate
from trtbuild.verbs.tuning.remarks import explain_changes
from trtbuild.verbs.tuning.search import Tried
from trtbuild.verbs.tuning.standing import rank
from trtbuild.verbs.tuning.workshop import Workshop, sections_of

__all__ = ["conclude", "mark_frontier"]


def conclude(
    workshop: Workshop,
    tried: Sequence[Tried],
    data: str,
    alone: Mapping[str, str],
    remarks: list[str],
) -> tuple[Tuning, str]:
    """Verify the best one on the comparison's data; without a gain there, leave all as it is.

    Returns what came of it, and the recipe's text with the changes.
    """
    chosen = min(tried, key=lambda each: rank(each.trial))
    recipe, (_, compare) = workshop.loaded.recipe, sections_of(workshop.loaded)
    start, best = tried[0].trial, chosen.trial
    if data != compare.data:
        start = workshop.attempt(Candidate(), start, data=compare.data)
        best = workshop.attempt(chosen.candidate, best, data=compare.data)
        if chosen.trial.passed != best.passed:
            sets = (data, compare.data) if chosen.trial.passed else (compare.data, data)
            remarks.append(f"what passes on `{sets[0]}` does not on `{sets[1]}`")
    elif chosen.index:
        remarks.append(
            f"the search was judged by `{compare.data}`, which so is no proof any more: a third "
            "data set keeps them apart (`trtbuild tune --data NAME`)"
        )
    better = chosen.index and rank(best) < rank(start)
    index, best = (chosen.index, best) if better else (0, start)
    patched = _edit(workshop, tried, index, alone, data) if better else workshop.text
    found = Tuning(
        recipe=recipe.name,
        file=workshop.loaded.file.name,
        passed=best.passed,
        best=index,
        trials=mark_frontier([each.trial for each in tried]),
        searched_on=data,
        verified_on=compare.data,
        before=start.figures,
        after=best.figures,
        patch=_diff(workshop.loaded.file.name, workshop.text, patched),
        remarks=tuple(dict.fromkeys(remarks)),
    )
    return found, patched


def _edit(
    workshop: Workshop, tried: Sequence[Tried], index: int, alone: Mapping[str, str], data: str
) -> str:
    remarks = explain_changes(tried, tried[index])
    told = {key: f"{remark} (on {data})" for key, remark in remarks.items()}
    changes = tried[index].candidate.list_changes(told, alone)
    return edit_section(str(workshop.loaded.file), workshop.text, SECTION, changes)


def _diff(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline\n" for line in lines)


def mark_frontier(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Mark the trials than which nothing has as much INT8 and comes closer to passing."""
    order = sorted(
        (index for index, trial in enumerate(trials) if not trial.problem),
        key=lambda index: (-trials[index].int8_share, _distance(trials[index]), index),
    )
    found: set[int] = set()
    least: tuple[float, float] | None = None
    for index in order:
        distance = _distance(trials[index])
        if least is None or distance < least:
            found.add(index)
            least = distance
    return tuple(
        trial.model_copy(update={"frontier": index in found}) for index, trial in enumerate(trials)
    )


def _distance(trial: Trial) -> tuple[float, float]:
    signal = float("inf") if trial.sqnr_db is None else trial.sqnr_db
    return trial.shortfall, -signal
