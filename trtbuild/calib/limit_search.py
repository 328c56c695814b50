"""Search a table of limits: a contest of whole tables, then what lies between, then parts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from trtbuild.calib.errors_of_runs import Errors

__all__ = ["Choice", "Judging", "Searched", "search_limits"]

KEPT = 4, 3
"""So many tables go on after a quarter of the runs, and after half of them."""
PARTS = 4
"""In so many parts, front to back, the best table is tried with others' limits."""


class Judging(Protocol):
    """Tells the errors that a table of limits makes; see `Judge`."""

    @property
    def runs(self) -> int:
        """How many runs a table takes."""

    def __call__(self, limits: Mapping[str, float], places: Sequence[int]) -> Errors:
        """Return the errors with these limits, of the runs at these places."""


class Choice(NamedTuple):
    """The limit of a tensor, and the kind or kinds that it comes of."""

    kind: str
    limit: float


class Searched(NamedTuple):
    """What was found best, and how each table did that was run on all samples."""

    choices: dict[str, Choice]
    taken: str
    """The table that they are of, named by what it was made of."""
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
    table: dict[str, Choice]
    errors: Errors


class _Search:
    """Tries tables on more and more of the runs, and counts what that takes."""

    def __init__(self, judge: Judging) -> None:
        self.judge = judge
        self.runs = 0
        starts = (0, 4), (2, 4), (1, 2)
        stages = [range(start, judge.runs, step) for start, step in starts]
        self.stages = [each for each in stages if each]

    def run(self, table: Mapping[str, Choice], places: Sequence[int]) -> Errors:
        self.runs += len(places)
        return self.judge({name: one.limit for name, one in table.items()}, places)

    def contest(self, tables: Mapping[str, Mapping[str, float]], basis: str) -> list[_Tried]:
        """Return the tables that stand to the end, best first; the basis is always among them."""
        going = []
        for name, limits in tables.items():
            table = {tensor: Choice(name, limit) for tensor, limit in limits.items()}
            going.append(_Tried(name, table, self.run(table, self.stages[0])))
        for kept, places in zip(KEPT, self.stages[1:], strict=False):
            going.sort(key=_rank)
            going = [one for place, one in enumerate(going) if place < kept or one.name == basis]
            going = [self._go_on(one, places) for one in going]
        return sorted(going, key=_rank)

    def _go_on(self, one: _Tried, places: Sequence[int]) -> _Tried:
        return one._replace(errors=one.errors.join(self.run(one.table, places)))

    def improve(self, name: str, table: dict[str, Choice], best: _Tried) -> _Tried:
        """Return this table where it is better than the best one beyond chance, and that otherwise.

        What is not better on the first of the runs is not run on the others.
        """
        tried = _Tried(name, table, best.errors.pick(()))
        for places in self.stages:
            tried = self._go_on(tried, places)
            if tried.errors.decibels <= best.errors.pick(tried.errors.places).decibels:
                return best
        return tried if tried.errors.is_clearly_better(best.errors) else best


def search_limits(
    tables: Mapping[str, Mapping[str, float]], judge: Judging, *, basis: str
) -> Searched:
    """Return the best limits found, by what the judge says of tables of them.

    The basis is what all else is held against: the other tables, what lies halfway between the best
    of them, and others' limits in one part of the model after the other. Each is taken only where
    it is better beyond chance.
    """
    search = _Search(judge)
    tried = search.contest(tables, basis)
    first = next(one for one in tried if one.name == basis)
    best = next((one for one in tried if one.errors.is_clearly_better(first.errors)), first)
    leader, others = best, [one for one in tried if one is not best][: KEPT[-1] - 1]
    for other in others:
        table = _blend(leader, other)
        if table != leader.table:
            best = search.improve(f"{leader.name}+{other.name}", table, best)
    for other in (leader, *others):
        if other is not best:
            best = _improve_parts(search, best, other)
    ends = tried if best in tried else [best, *tried]
    scores = {one.name: one.errors.decibels for one in sorted(ends, key=_rank)}
    gain, spread = best.errors.compare(first.errors)
    return Searched(best.table, best.name, scores, gain, spread, search.runs)


def _improve_parts(search: _Search, best: _Tried, other: _Tried) -> _Tried:
    """Try another table's limits in one part of the model after the other."""
    mark = f", in part {other.name}"
    name = best.name if best.name.endswith(mark) else f"{best.name}{mark}"
    for part in _split(list(best.table)):
        table = {**best.table, **{tensor: other.table[tensor] for tensor in part}}
        if table != best.table:
            best = search.improve(name, table, best)
    return best


def _rank(one: _Tried) -> float:
    return -one.errors.decibels


def _blend(one: _Tried, other: _Tried) -> dict[str, Choice]:
    """Return the limits halfway between two tables', by their logarithms."""
    made = {}
    for name, (kind, limit) in one.table.items():
        against = other.table[name]
        if against.limit == limit:
            made[name] = Choice(kind, limit)
        else:
            middle = math.sqrt(limit) * math.sqrt(against.limit)
            made[name] = Choice(f"{kind}+{against.kind}", middle)
    return made


def _split(names: Sequence[str]) -> Iterator[Sequence[str]]:
    size = -(-len(names) // PARTS)
    for start in range(0, len(names), max(1, size)):
        yield names[start : start + size]
