"""Search a table of limits: whole tables first, then what lies between, then parts of tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from trtbuild.calib.judge import Errors

__all__ = ["Choice", "Judging", "Searched", "search_limits"]

KEPT = 3
"""So many tables are run on all samples; the others are given up after half of them."""
BLOCKS = 4
"""In so many parts, front to back, the best table is tried with another one's limits."""


class Judging(Protocol):
    """Tells the errors that a table of limits makes; see `Judge`."""

    @property
    def runs(self) -> int:
        """How many runs a table takes."""

    def __call__(self, limits: Mapping[str, float], start: int = 0, step: int = 1) -> Errors:
        """Return the errors with these limits, of every `step` of the runs."""


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
    runs: int
    """How many samples were run, all tables together."""


class _Tried(NamedTuple):
    name: str
    table: dict[str, Choice]
    errors: Errors


class _Search:
    """Tries tables, and counts what that takes."""

    def __init__(self, judge: Judging) -> None:
        self.judge = judge
        self.runs = 0

    def run(self, table: Mapping[str, Choice], start: int = 0, step: int = 1) -> Errors:
        self.runs += len(range(start, self.judge.runs, step))
        return self.judge({name: one.limit for name, one in table.items()}, start, step)

    def try_all(
        self, tables: Mapping[str, Mapping[str, float]], basis: Sequence[str]
    ) -> list[_Tried]:
        """Return those of the basis and the KEPT best, best first.

        All are run on half of the samples, and these on the other half.
        """
        begun = []
        for name, limits in tables.items():
            table = {tensor: Choice(name, limit) for tensor, limit in limits.items()}
            begun.append(_Tried(name, table, self.run(table, 0, 2)))
        begun.sort(key=_rank)
        kept = [one for place, one in enumerate(begun) if place < KEPT or one.name in basis]
        if self.judge.runs > 1:
            kept = [one._replace(errors=one.errors.join(self.run(one.table, 1, 2))) for one in kept]
        return sorted(kept, key=_rank)

    def improve(self, name: str, table: dict[str, Choice], best: _Tried) -> _Tried:
        """Return this table where it is better than the best one beyond chance, and that otherwise.

        What is not better on half of the samples cannot be, and is not run on the others.
        """
        errors = self.run(table, 0, 2)
        if errors.decibels <= best.errors.pick(0, 2).decibels:
            return best
        if self.judge.runs > 1:
            errors = errors.join(self.run(table, 1, 2))
        return _Tried(name, table, errors) if errors.is_clearly_better(best.errors) else best


def search_limits(
    tables: Mapping[str, Mapping[str, float]], judge: Judging, *, basis: Sequence[str]
) -> Searched:
    """Return the best limits found, by what the judge says of tables of them.

    The better one of the basis is what all else is held against: the other tables, what lies
    halfway between the best of them, and another one's limits in one part of the model after the
    other. Each is taken only where it is better beyond chance.
    """
    search = _Search(judge)
    tried = search.try_all(tables, basis)
    best = next(one for one in tried if one.name in basis)
    best = next((one for one in tried if one.errors.is_clearly_better(best.errors)), best)
    leader, others = best, [one for one in tried if one.name != best.name][: KEPT - 1]
    between = [(f"{leader.name}+{other.name}", _blend(leader, other)) for other in others]
    for name, table in between:
        if table != leader.table:
            best = search.improve(name, table, best)
    if best is not leader:
        tried = sorted([*tried, best], key=_rank)
    best = _improve_parts(search, best, between)
    scores = {one.name: one.errors.decibels for one in sorted([*tried, best], key=_rank)}
    return Searched(best.table, best.name, scores, search.runs)


def _improve_parts(
    search: _Search, best: _Tried, between: Sequence[tuple[str, Mapping[str, Choice]]]
) -> _Tried:
    """Try another table's limits in one part of the model after the other."""
    other, limits = next((each for each in between if each[0] != best.name), ("", best.table))
    name = f"{best.name}, in part {other}"
    for part in _split(list(best.table)):
        table = {**best.table, **{tensor: limits[tensor] for tensor in part}}
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
    size = -(-len(names) // BLOCKS)
    for start in range(0, len(names), max(1, size)):
        yield names[start : start + size]
