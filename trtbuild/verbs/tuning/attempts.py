"""What was tried: candidates, compared on few samples first, and on more where they may pass."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trtbuild.core.quantized_types import INT8
from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.candidates import Candidate
from trtbuild.verbs.tuning.levels import WHOLE, SampleLevels
from trtbuild.verbs.tuning.standing import find_chance, is_better, rank

__all__ = ["Attempts", "OutOfTime", "Tried"]

Attempt = Callable[[Candidate, Trial, int], Trial]
TIED_DB, LEFT_DB = 1.0, 3.0
"""A difference that says nothing on the fewest samples, for others would have it otherwise; and the
least signal over noise of which more of them say anything."""
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
        wanted = self.levels.counts[0] if few else self.levels.wanted
        return self._climb(known, wanted, lambda trial: self._may_pass(trial, self.needed))

    def decide(self, tried: Tried) -> Tried:
        """Return what costs nothing at run time compared on the samples that decide.

        That only if it may pass there; a little more signal than what failed is enough for that.
        """
        least = self.failed + LITTLE_DB
        return self._climb(tried, self.levels.wanted, lambda trial: self._may_pass(trial, least))

    def is_near(self, tried: Tried) -> bool:
        """Tell whether what lacks on the samples that decide is no more than chance."""
        trial = tried.trial
        if self.levels.is_done(trial, WHOLE) or not self.levels.is_done(trial, self.levels.wanted):
            return False
        return self._is_chance(trial) and _signal(trial) >= self.failed + LITTLE_DB

    def verify(self, tried: Tried) -> Tried:
        """Return it compared on all samples, unless fewer of them say clearly that it fails.

        If it does not pass there, what is to pass needs more signal over noise than it has. What
        has come so far is verified whatever the time.
        """
        found = self._climb(tried, WHOLE, self._is_chance, timed=False)
        if not found.trial.passed:
            margin = LITTLE_DB if self._is_chance(found.trial) else MORE_DB
            self.needed = max(self.needed, _signal(found.trial) + margin)
            self.failed = max(self.failed, _signal(found.trial))
        return found

    def measure(self, tried: Tried) -> Tried:
        """Return it compared on all samples, whatever fewer of them say, and whatever the time."""
        return self._climb(tried, WHOLE, lambda _: True, timed=False)

    def _climb(
        self, tried: Tried, wanted: int, goes_on: Callable[[Trial], bool], *, timed: bool = True
    ) -> Tried:
        """Compare on more and more samples, as long as a trial goes on, and up to those wanted."""
        trial = tried.trial
        for count in self.levels.above(trial, wanted):
            if trial.samples and not goes_on(trial):
                break
            if timed and self.tried:
                self.demand_time(functools.partial(self.is_known, tried.candidate, count))
            trial = self.attempt(tried.candidate, trial, count)
            if trial.problem:
                break
        short = not self.levels.is_done(trial, wanted) or self.levels.is_first(trial)
        if trial.passed and timed and (short or not goes_on(trial)):
            trial = trial.model_copy(update={"passed": False})
        return self._remember(Tried(tried.index, tried.candidate, trial), before=tried.trial)

    def demand_time(self, is_known: Callable[[], bool]) -> None:
        """Go on only with what costs no time, once there is none left.

        Raises:
            OutOfTime: it is not known yet.
        """
        if not self.has_time(is_known):
            raise OutOfTime

    def has_time(self, is_known: Callable[[], bool]) -> bool:
        """Tell whether there is time for something, or it costs none."""
        return time.monotonic() < self.deadline or is_known()

    def _may_pass(self, trial: Trial, least: float) -> bool:
        """Tell whether one that is to have at least so much signal may pass on more samples."""
        doomed = not self.levels.is_done(trial, WHOLE) and _signal(trial) < least
        return self.levels.may_pass(trial) and not doomed

    def _is_chance(self, trial: Trial) -> bool:
        return trial.shortfall <= find_chance(trial, shares=self.levels.shares)

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

    def is_enough(self, best: Tried) -> bool:
        """Tell whether one passes on all samples: nothing more is needed then."""
        return best.trial.passed and self.levels.is_done(best.trial, WHOLE)

    def choose(self, new: Tried, old: Tried) -> Tried:
        """Return which of two to go on from; where few samples hardly tell them apart, more do."""
        if not _is_tied(new.trial, old.trial):
            return self.better(new, old)
        both = [self._climb(each, self.levels.wanted, lambda _: True) for each in (new, old)]
        return self.better(*both)

    def better(self, new: Tried, old: Tried) -> Tried:
        """Return which of two to go on from; passing on few samples alone says nothing of that."""
        sides = [new.trial, old.trial]
        if not self.levels.exact:
            sides = [trial.model_copy(update={"passed": False}) for trial in sides]
        return new if is_better(*sides, shares=self.levels.shares) else old


def _signal(trial: Trial) -> float:
    signal = trial.first.sqnr_db
    return math.inf if signal is None else signal


def _is_tied(new: Trial, old: Trial) -> bool:
    """Tell whether neither of two that do not pass has clearly more signal on the same few."""
    if new.problem or not (new.first.shortfall or old.first.shortfall):
        return False
    signals = [_signal(new), _signal(old)]
    return min(signals) >= LEFT_DB and abs(signals[0] - signals[1]) < TIED_DB
