"""What a search comes to: verified, told, and written as lines of the recipe."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trtbuild.core.tuning import Trial, Tuning
from trtbuild.verbs.tuning.attempts import Tried
from trtbuild.verbs.tuning.candidates import SECTION, Candidate
from trtbuild.verbs.tuning.levels import WHOLE
from trtbuild.verbs.tuning.remarks import explain_changes
from trtbuild.verbs.tuning.search import Search
from trtbuild.verbs.tuning.standing import rank_whole
from trtbuild.verbs.tuning.workshop import Workshop, demand_sections

__all__ = ["choose", "conclude", "mark_frontier"]

MOST_VERIFIED = 3
"""How many of those that lead on fewer samples are compared on all, where none passes."""
FRESH: dict[str, Any] = {"samples": 0, "fewer": ()}


def conclude(
    workshop: Workshop,
    search: Search,
    data: str,
    alone: Mapping[str, str],
    remarks: list[str],
) -> tuple[Tuning, str]:
    """Verify the best one on all samples of the comparison; without a gain there, change nothing.

    Returns what came of it, and the recipe's text with the changes.
    """
    chosen, tried = choose(search), search.tried
    recipe, (_, compare) = workshop.loaded.recipe, demand_sections(workshop.loaded)
    start, best = tried[0].trial, chosen.trial
    whole = start.samples
    if data != compare.data:
        start = workshop.attempt(Candidate(), start.model_copy(update=FRESH), data=compare.data)
        best = workshop.attempt(chosen.candidate, best.model_copy(update=FRESH), data=compare.data)
        if chosen.trial.passed != best.passed:
            sets = (data, compare.data) if chosen.trial.passed else (compare.data, data)
            told = f"what passes on `{sets[0]}` does not on `{sets[1]}`"
            if chosen.trial.passed:
                told += (
                    f": search on more samples, of the sort that `{compare.data}` holds, or have "
                    "the gates ask to be sure (`confidence: 95%`)"
                )
            remarks.append(told)
    elif chosen.index:
        remarks.append(
            f"the search was judged by `{compare.data}`, which so is no proof any more: a third "
            "data set keeps them apart (`trtbuild tune --data NAME`)"
        )
    remarks += _tell_samples(tried, whole)
    better = chosen.index and rank_whole(best) < rank_whole(start)
    index, best = (chosen.index, best) if better else (0, start)
    patched = _edit(workshop, tried, index, alone, data) if better else workshop.lines.text
    found = Tuning(
        recipe=recipe.name,
        file=workshop.loaded.file.name,
        quantized=workshop.into.name,
        passed=best.passed,
        best=index,
        trials=mark_frontier([each.trial for each in tried]),
        searched_on=data,
        whole=whole,
        verified_on=compare.data,
        before=start.figures,
        after=best.figures,
        patch=_diff(workshop.lines.file.name, workshop.lines.text, patched),
        remarks=tuple(dict.fromkeys(remarks)),
    )
    return found, patched


def choose(search: Search) -> Tried:
    """Return what does best on all samples; what led on fewer is compared there, one by one.

    Once the time is spent that is one alone, beside those that are known.
    """
    for place in range(MOST_VERIFIED):
        leader = min(search.tried, key=lambda each: search.rank(each.trial))
        whole = search.tried[0].trial.samples
        if leader.trial.samples == whole:
            break
        is_known = functools.partial(search.is_known, leader.candidate, WHOLE)
        if place and not search.has_time(is_known):
            break
        if search.measure(leader).trial.passed:
            break
    compared = [each for each in search.tried if each.trial.samples == whole]
    return min(compared, key=lambda each: rank_whole(each.trial))


def _tell_samples(tried: Sequence[Tried], whole: int) -> Iterator[str]:
    """Say what was judged on fewer samples than there are, and what those tell."""
    least = min((each.trial.first.samples for each in tried if each.trial.samples), default=whole)
    fewer = sum(each.trial.samples < whole for each in tried)
    if fewer:
        yield (
            f"{fewer} of {len(tried)} were compared on fewer samples than the {whole} that there "
            f"are: of {least}, one is {100 / least:.2g} points, so they were told apart by "
            "sqnr_db; what passed, and what was chosen, was compared on all"
        )


def _edit(
    workshop: Workshop, tried: Sequence[Tried], index: int, alone: Mapping[str, str], data: str
) -> str:
    remarks = explain_changes(tried, tried[index], head=workshop.model.head)
    told = {key: f"{remark} (on {data})" for key, remark in remarks.items()}
    changes = tried[index].candidate.list_changes(told, alone)
    return workshop.lines.edit(SECTION, changes)


def _diff(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline\n" for line in lines)


def mark_frontier(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Mark the trials than which nothing has as much INT8 and comes closer to passing.

    That is on the fewest samples, on which all were compared.
    """
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
    standing = trial.first
    signal = float("inf") if standing.sqnr_db is None else standing.sqnr_db
    return (0.0 if trial.passed else standing.shortfall), -signal
