"""What each change gives, in the words that stand beside it in the recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.attempts import Tried
from trtbuild.verbs.tuning.candidates import HEAD, PROTECT, SKIP
from trtbuild.verbs.tuning.standing import find_common

__all__ = ["explain_changes"]


def explain_changes(
    tried: Sequence[Tried], chosen: Tried, *, head: Sequence[str] = ()
) -> dict[str, str]:
    """Return what each change gives, by its key; layers in float are told of under `skip`.

    That is the whole without it and with it, where the former was tried; otherwise the last that it
    came from, of which that is known: at the least, what it gave when it was added. Of how many
    samples figures are is said where it is not all. Of the policy for a detector's `head` its
    layers stand there too.
    """
    found = {}
    whole = tried[0].trial.samples
    trials = {each.candidate.key: each.trial for each in tried}
    line = list(_list_line(tried, chosen))
    for key in [*chosen.candidate.options, *([SKIP] if chosen.candidate.floats else [])]:
        for each in line:
            without = trials.get(each.candidate.without(key).key)
            alike = each.candidate.get(key) == chosen.candidate.get(key)
            if alike and without is not None and not without.problem:
                found[key] = _tell_gain(without, each.trial, whole)
                break
    told = {**_explain_steps(tried, chosen, whole), **found}
    if PROTECT in told and head:
        told[PROTECT] = f"`{HEAD}` stands for `skip: [{', '.join(head)}]`; {told[PROTECT]}"
    return told


def _list_line(tried: Sequence[Tried], chosen: Tried) -> Iterator[Tried]:
    """Yield a trial and those that it came from, the last first."""
    yield chosen
    while chosen.trial.of is not None:
        chosen = tried[chosen.trial.of]
        yield chosen


def _explain_steps(tried: Sequence[Tried], chosen: Tried, whole: int) -> dict[str, str]:
    found: dict[str, str] = {}
    trial = chosen.trial
    while trial.of is not None:
        before = tried[trial.of].trial
        for key, value in trial.options.items():
            if before.options.get(key) != value:
                found.setdefault(key, _tell_gain(before, trial, whole))
        if trial.floats != before.floats:
            found.setdefault(SKIP, _tell_gain(before, trial, whole))
        trial = before
    return found


def _tell_gain(before: Trial, after: Trial, whole: int) -> str:
    """Write the figures before and after: `top1 drop 2.1 points → 0.3 points, sqnr_db ...`.

    On the most samples that both were compared on.
    """
    first, then = find_common(before, after)
    old = {figure.name: figure.found for figure in first.figures}
    told = [
        f"{figure.name} {old.get(figure.name, '-')} → {figure.found}" for figure in then.figures
    ]
    return ", ".join(told) + (f" on {then.samples} samples" if then.samples < whole else "")
