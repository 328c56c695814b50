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
    scores: dict[str, float]
    """In dB, best first; the last that was taken is named by what it was made of."""
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
    for other in [one for one in tried if one.name != best.name][: KEPT - 1]:
        between = _blend(best, other)
        if between == best.table:
            continue
        found = _Tried(f"{best.name}+{other.name}", between, search.run(between))
        tried.append(found)
    best = next(
        (one for one in sorted(tried, key=_rank) if one.errors.is_clearly_better(best.errors)), best
    )
    best = _mix(search, best, sorted((one for one in tried if one.name != best.name), key=_rank))
    shown = {one.name: one.errors.decibels for one in sorted([*tried, best], key=_rank)}
    return Searched(best.table, shown, search.runs)


def _mix(search: _Search, best: _Tried, others: Sequence[_Tried]) -> _Tried:
    """Try the limits of the next best table in one part of the model after the other."""
    name = best.name
    for part in _split(list(best.table)) if others else ():
        table = {**best.table, **{tensor: others[0].table[tensor] for tensor in part}}
        if table == best.table:
            continue
        errors = search.run(table)
        if errors.is_clearly_better(best.errors):
            best = _Tried(f"{name}, in part {others[0].name}", table, errors)
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
