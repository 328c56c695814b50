"""Search a table of limits: a contest of whole tables, on more and more of the runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from trtbuild.calib.errors_of_runs import Errors

__all__ = ["Judging", "LimitChoice", "Searched", "search_limits"]

LOST_SPREADS = 2
"""A table that is worse than the best one by so many standard errors is not run any more."""
NEAR_DB = 0.3
"""By less than this, and than its standard error, a table may be worse than one with narrower
limits and is taken all the same: samples that were not seen reach farther than those that were."""
STAGES = (0, 4), (2, 4), (1, 2)
"""First run and stride: a quarter of the runs, as many again, and the other half."""


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
    """In dB, best first."""
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
    """Return the table whose limits err least, by what the judge says of them.

    Of those that are as good as the best one but for chance, it is that with the widest limits.
    Tables that are clearly worse are given up after a quarter and a half of the runs, but not the
    basis: it is run on all samples, to tell how much was gained over it.
    """
    first, *others = [places for one in STAGES if (places := range(one[0], judge.runs, one[1]))]
    going = [_Tried(name, limits, judge(limits, first)) for name, limits in tables.items()]
    runs = len(going) * len(first)
    for places in others:
        best = min(going, key=_rank)
        going = [
            one.run(judge, places)
            for one in going
            if one.name == basis or not _has_lost(one.errors, best.errors)
        ]
        runs += len(going) * len(places)
    going.sort(key=_rank)
    near = [one for one in going if _is_near(one.errors, going[0].errors)]
    # Of equal ones the best: it comes first.
    taken = max(near, key=lambda one: math.fsum(map(math.log, one.limits.values())))
    start = next(one for one in going if one.name == basis)
    gain, spread = taken.errors.compare(start.errors)
    return Searched(
        {tensor: LimitChoice(taken.name, limit) for tensor, limit in taken.limits.items()},
        taken.name,
        {one.name: one.errors.decibels for one in going},
        gain,
        spread,
        runs,
    )


def _has_lost(errors: Errors, best: Errors) -> bool:
    gain, spread = errors.compare(best)
    return gain < -max(LOST_SPREADS * spread, NEAR_DB)


def _is_near(errors: Errors, best: Errors) -> bool:
    gain, spread = errors.compare(best)
    return gain >= -min(spread, NEAR_DB)


def _rank(one: _Tried) -> float:
    return -one.errors.decibels
