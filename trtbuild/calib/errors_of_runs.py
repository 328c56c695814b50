"""How far runs of a quantized model are off: scores in dB, and what of a difference is chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

__all__ = ["Errors"]


class Errors(NamedTuple):
    """The power of the error of each output and run, over that of the mean signal of the output."""

    shares: tuple[tuple[float, ...], ...]
    """By output, then by run."""
    places: tuple[int, ...]
    """Which of all runs these are, ascending."""
    weights: tuple[float, ...]
    """How much each output counts; they sum to 1."""
    repeats: int = 1
    """So many runs, one after the other, are of one sample."""

    @property
    def decibels(self) -> float:
        """Signal over error in dB, the mean over the outputs by their weights.

        Of an output it is that of all samples together, as the metric `sqnr_db` has it: one that is
        clipped badly is not made up for by many that are a little better.
        """
        return self._score([math.fsum(each) for each in self.shares], len(self.places))

    def join(self, other: Errors) -> Errors:
        """Return these and those of other runs, in the runs' order."""
        places = self.places + other.places
        order = sorted(range(len(places)), key=places.__getitem__)
        joined = [one + two for one, two in zip(self.shares, other.shares, strict=True)]
        return Errors(
            tuple(tuple(each[index] for index in order) for each in joined),
            tuple(places[index] for index in order),
            self.weights,
            self.repeats,
        )

    def compare(self, other: Errors) -> tuple[float, float]:
        """Return by how many dB these are better, and the jackknife's standard error of that.

        It is the spread of the difference where one sample is left out, on both sides the same: the
        samples are paired.
        """
        gain = self.decibels - other.decibels
        owners = list(self._group().values())
        count = len(owners)
        if count == 1:
            return gain, 0.0
        pairs = zip(self._leave_each_out(owners), other._leave_each_out(owners), strict=True)
        without = [mine - theirs for mine, theirs in pairs]
        middle = math.fsum(without) / count
        spread = math.fsum((each - middle) ** 2 for each in without) * (count - 1) / count
        return gain, math.sqrt(spread)

    def _group(self) -> dict[int, list[int]]:
        """Return where each sample's runs stand."""
        found: dict[int, list[int]] = {}
        for index, place in enumerate(self.places):
            found.setdefault(place // self.repeats, []).append(index)
        return found

    def _leave_each_out(self, owners: Sequence[Sequence[int]]) -> Iterator[float]:
        """Yield the score without the runs of each sample.

        From what stands before it and behind it, which is summed up once. Taking a sample off the
        sum of all would leave only rounding errors where that sample is nearly all of it.
        """
        before, behind = [], []
        for each in self.shares:
            own = [math.fsum(each[index] for index in places) for places in owners]
            before.append([*accumulate(own, initial=0.0)])
            behind.append([*accumulate(reversed(own), initial=0.0)][::-1])
        for place, left in enumerate(owners):
            sums = [
                one[place] + other[place + 1] for one, other in zip(before, behind, strict=True)
            ]
            yield self._score(sums, len(self.places) - len(left))

    def _score(self, sums: Sequence[float], count: int) -> float:
        """Return dB of sums over so many runs."""
        parts = [
            -10 * weight * math.log10(each / count)
            for each, weight in zip(sums, self.weights, strict=True)
        ]
        return math.fsum(parts)
