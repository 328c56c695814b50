"""Search a table of limits: a contest of whole tables, on more and more of the runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from trtbuild.calib.errors_of_runs import Errors
from trtbuild.calib.scatter import scatter

__all__ = ["Judging", "LimitChoice", "Searched", "search_limits"]

CLEAR_SPREADS = 2
"""A table is taken for the basis where it is better by more than so many standard errors."""
LOST_SPREADS = 1
"""Where it is worse by more than so many, it is not run any more."""
STAGES = (0, 1), (1, 2), (2, 4)
"""Quarters of the runs: the first, as many again, and the other half."""
LEAST = 8
"""Of fewer runs a standard error says nothing: then a table is run on all of them."""


class Judging(Protocol):
    """Tells the errors that a table of limits makes; see `Judge`."""

    @property
    def runs(self) -> int:
        """How many runs a table takes."""

    def __call__(self, limits: Mapping[str, float], places: Sequence[int]) -> Errors:
        """Return the errors with these limits, of the runs at these places."""


class LimitChoice(NamedTuple):
    """The limit of a tensor, and the kind that it comes of."""

    kind: str
    limit: float


class Searched(NamedTuple):
    """What was found best, and how each table did that was run on all samples."""

    choices: dict[str, LimitChoice]
    taken: str
    """The table that they are of."""
    scores: dict[str, float]
    """In dB, best first, of those that were run last."""
    gain: float
    """In dB, of what was taken over the basis."""
    spread: float
    """By how much that gain is chance: its standard error, over the samples."""
    runs: int
    """How many samples were run, all tables together."""


class _Tried(NamedTuple):
    name: str
    limits: Mapping[str, float]
    errors: Errors

    def run(self, judge: Judging, places: Sequence[int]) -> _Tried:
        """Return it with the errors of more runs."""
        return self._replace(errors=self.errors.join(judge(self.limits, places)))


def search_limits(
    tables: Mapping[str, Mapping[str, float]], judge: Judging, *, basis: str
) -> Searched:
    """Return the basis, or the table that errs least of those that are clearly better than it.

    How a table does on some dozens of samples is chance for a good part: the best of many is the
    luckiest, so the burden of proof is on whatever is not the basis. Tables that are worse are
    given up after a quarter and a half of the runs, and where none is left all is said.
    """
    first, *others = _part(judge.runs)
    going = [_Tried(name, limits, judge(limits, first)) for name, limits in tables.items()]
    runs = len(going) * len(first)
    for places in others:
        start = _find(going, basis)
        left = [one for one in going if one is start or not _has_lost(one.errors, start.errors)]
        if len(left) == 1:
            break
        going = [one.run(judge, places) for one in left]
        runs += len(going) * len(places)
    start = _find(going, basis)
    clear = [one for one in going if _is_clear(one.errors, start.errors)]
    taken = min(clear, key=_rank, default=start)
    gain, spread = taken.errors.compare(start.errors)
    return Searched(
        {tensor: LimitChoice(taken.name, limit) for tensor, limit in taken.limits.items()},
        taken.name,
        {one.name: one.errors.decibels for one in sorted(going, key=_rank)},
        gain,
        spread,
        runs,
    )


def _part(runs: int) -> list[list[int]]:
    """Return the places of the runs of each stage."""
    order = scatter(runs)
    ends = [[-(-runs * quarters // 4) for quarters in stage] for stage in STAGES]
    if ends[0][1] < LEAST:
        return [sorted(order)]
    return [sorted(order[start:end]) for start, end in ends]


def _find(tables: Iterable[_Tried], name: str) -> _Tried:
    return next(one for one in tables if one.name == name)


def _has_lost(errors: Errors, basis: Errors) -> bool:
    gain, spread = errors.compare(basis)
    return gain < -LOST_SPREADS * spread


def _is_clear(errors: Errors, basis: Errors) -> bool:
    gain, spread = errors.compare(basis)
    return gain > CLEAR_SPREADS * spread


def _rank(one: _Tried) -> float:
    return -one.errors.decibels
