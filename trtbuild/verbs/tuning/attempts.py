"""What was tried: candidates, compared on few samples first, and on more where they may pass."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trtbuild.core.quantized_types import INT8
from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.candidates import Candidate
from trtbuild.verbs.tuning.levels import WHOLE, SampleLevels
from trtbuild.verbs.tuning.standing import find_chance, rank

__all__ = ["Attempts", "OutOfTime", "Tried"]

Attempt = Callable[[Candidate, Trial, int], Trial]
LITTLE_DB, MORE_DB = 1.0, 3.0
"""How much more signal is to be had by the next one to be compared on all samples."""


class OutOfTime(Exception):  # it is no error
    """The budget is spent: what is to be tried next is not known yet."""


@dataclass(frozen=True)
class Tried:
    """A candidate, and what came of it."""

    index: int
    candidate: Candidate
    trial: Trial


@dataclass
class Attempts:
    """What was tried so far, in order; the same each time, as far as time lasts.

    A candidate passes if it does on the samples that count at present: on all, once fewer have
    said of another that it passes, and were wrong.
    """

    attempt: Attempt
    """Builds a candidate and compares it as a whole on so many samples, or on all."""
    is_known: Callable[[Candidate, int], bool]
    """Whether that costs nothing, since it was done before."""
    tell: Callable[[Trial, bool], None]
    """Hears of each trial, and whether it is gone on from."""
    deadline: float
    """Of `time.monotonic()`."""
    levels: SampleLevels = field(default_factory=SampleLevels)
    tried: list[Tried] = field(default_factory=list)
    word: str = INT8.word
    """Of the type that the recipe quantizes to."""
    needed: float = -math.inf
    """The signal over noise that it takes to pass, by those that passed on fewer samples alone."""
    failed: float = -math.inf
    """The most that did not do."""

    def try_out(
        self, candidate: Candidate, what: str, *, of: Tried | None, few: bool = False
    ) -> Tried:
        """Build and compare a candidate; one that was tried before is compared on more samples.

        That only where these count by now, and it may pass there. With `few`, on the fewest.

        Raises:
            OutOfTime: that would cost time, and there is none left.
        """
        trial = Trial(
            what=what,
            options=dict(candidate.options),
            floats=candidate.floats,
            of=None if of is None else of.index,
        )
        known = self.find(candidate) or Tried(len(self.tried), candidate, trial)
        return self._climb(known, self.levels.counts[0] if few else self.levels.wanted)

    def verify(self, tried: Tried, *, strict: bool = True) -> Tried:
        """Return it compared on all samples.

        If it does not pass there, what is to pass needs more signal over noise than it has; and,
        where this is `strict`, more samples count from now on.
        """
        found = self._climb(tried, WHOLE, whatever=True)
        if not found.trial.passed:
            chance = find_chance(found.trial, shares=self.levels.shares)
            margin = MORE_DB if found.trial.shortfall > chance else LITTLE_DB
            self.needed = max(self.needed, _signal(found.trial) + margin)
            self.failed = max(self.failed, _signal(found.trial))
            self.levels = self.levels.raised() if strict else self.levels
        return found

    def decide(self, tried: Tried) -> Tried:
        """Return it compared on all samples, if it may pass by those that decide.

        One sample too many is chance there, and a little more signal than what failed may do: what
        costs nothing is worth a second look.
        """
        found = self._climb(tried, self.levels.wanted, free=True)
        trial, wanted = found.trial, self.levels.wanted
        near = trial.shortfall <= find_chance(trial, shares=self.levels.shares)
        may = trial.passed or (near and not self._is_doomed(trial, free=True))
        if self.levels.is_done(trial, WHOLE) or not (may and self.levels.is_done(trial, wanted)):
            return found
        return self.verify(found, strict=False)

    def _climb(
        self, tried: Tried, wanted: int, *, whatever: bool = False, free: bool = False
    ) -> Tried:
        """Compare on more and more samples, as far as is wanted and it may pass."""
        trial = tried.trial
        for count in self.levels.above(trial, wanted):
            known = self.is_known(tried.candidate, count)
            if self.tried and not whatever and time.monotonic() >= self.deadline and not known:
                raise OutOfTime
            fails = self._is_doomed(trial, free=free) or not self.levels.may_pass(trial)
            if trial.samples and not whatever and fails:
                break
            trial = self.attempt(tried.candidate, trial, count)
            if trial.problem:
                break
        short = not self.levels.is_done(trial, wanted) or self.levels.is_first(trial)
        if trial.passed and not whatever and (short or self._is_doomed(trial, free=free)):
            trial = trial.model_copy(update={"passed": False})
        return self._remember(Tried(tried.index, tried.candidate, trial), before=tried.trial)

    def _is_doomed(self, trial: Trial, *, free: bool) -> bool:
        least = self.failed + LITTLE_DB if free else self.needed
        return not self.levels.is_done(trial, WHOLE) and _signal(trial) < least

    def _remember(self, made: Tried, *, before: Trial) -> Tried:
        if made.index < len(self.tried) and made.trial == before:
            return made
        others = (each.trial for each in self.tried if each.index != made.index)
        best = min(others, key=self.rank, default=None)
        self.tried[made.index : made.index + 1] = [made]
        self.tell(made.trial, best is None or self.rank(made.trial) < self.rank(best))
        return made

    def rank(self, trial: Trial) -> tuple[bool, float, float, float]:
        """Return what sorts trials, the best first."""
        return rank(trial, shares=self.levels.shares)

    def find(self, candidate: Candidate) -> Tried | None:
        """Return a candidate that was tried before."""
        return next((each for each in self.tried if each.candidate.key == candidate.key), None)


def _signal(trial: Trial) -> float:
    signal = trial.first.sqnr_db
    return math.inf if signal is None else signal
