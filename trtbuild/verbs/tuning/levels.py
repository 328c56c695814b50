"""How many samples a candidate is compared on: few where that tells, all where it must."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.standing import find_chance

__all__ = ["WHOLE", "SampleLevels", "fill_batches", "list_counts", "list_fewer"]

FEW = 32
"""As many as layers are measured on: enough for signal over noise, on the same samples."""
GROWTH = 4
WHOLE = 0
"""Stands for all samples."""


def list_counts(total: int, batch: int = 1) -> tuple[int, ...]:
    """Return the counts of samples to compare on, the fewest first; the last stands for all.

    They fill whole batches.
    """
    return (*itertools.takewhile(lambda count: 2 * count <= total, _grow(batch)), WHOLE)


def list_fewer(count: int, batch: int = 1) -> tuple[int, ...]:
    """Return the counts below one, the fewest first: what is compared on it was on these."""
    return tuple(itertools.takewhile(lambda fewer: fewer < count, _grow(batch)))


def _grow(batch: int) -> Iterator[int]:
    return (fill_batches(FEW, batch) * GROWTH**place for place in itertools.count())


def fill_batches(count: int, batch: int) -> int:
    """Return how many samples there are in the batches that so many fill, the last one whole."""
    return -(-count // batch) * batch


@dataclass(frozen=True)
class SampleLevels:
    """The counts of samples, and which of them decides at present."""

    counts: tuple[int, ...] = (WHOLE,)
    place: int = 1
    """The number of the one that decides; the one before only says what cannot pass."""
    shares: bool = False
    """Whether gates judge shares of samples."""

    @property
    def wanted(self) -> int:
        """The count that decides."""
        return self.counts[min(self.place, len(self.counts) - 1)]

    def raised(self) -> SampleLevels:
        """Return these with the next higher count to decide."""
        return replace(self, place=min(self.place + 1, len(self.counts) - 1))

    @property
    def exact(self) -> bool:
        """Whether there are too few samples to leave any out."""
        return len(self.counts) == 1

    def is_first(self, trial: Trial) -> bool:
        """Tell whether a trial was compared on the fewest alone, of which none need fail."""
        return bool(trial.samples) and not trial.fewer and not self.exact

    def is_done(self, trial: Trial, wanted: int) -> bool:
        """Tell whether a trial was compared on so many samples."""
        return wanted not in self.above(trial, wanted)

    def above(self, trial: Trial, wanted: int) -> Iterator[int]:
        """Yield the counts that a trial was not compared on, up to the one that is wanted."""
        done = {trial.samples, *(each.samples for each in trial.fewer)} - {0}
        for place, count in enumerate(self.counts[: self.counts.index(wanted) + 1]):
            if len(done) <= place:
                yield count

    def may_pass(self, trial: Trial) -> bool:
        """Tell whether a trial may pass on more samples, by those that it was compared on."""
        if trial.fewer or len(self.counts) == 1:
            return trial.passed
        return trial.passed or trial.shortfall <= find_chance(trial, shares=self.shares)
