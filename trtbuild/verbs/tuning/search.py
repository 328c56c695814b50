"""The search itself: what costs nothing at run time first, then layers in floating point."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.candidates import (
    PRECISION,
    RANGES,
    SKIP,
    Candidate,
    Stage,
    leave_line_out,
    list_limits,
    list_returns,
)
from trtbuild.verbs.tuning.levels import WHOLE, Levels
from trtbuild.verbs.tuning.standing import find_chance, is_better, rank

if TYPE_CHECKING:
    from trtbuild.recipe.schema import Quantization

__all__ = ["OutOfTime", "Search", "Tried"]

Attempt = Callable[[Candidate, Trial, int], Trial]
MOST_BACK = 2
"""How many layers are tried in INT8 again, once enough are in float."""
MOST_FITTED = 1
"""The same with rounding fitted to each, which takes long."""
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
class Search:
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
    levels: Levels = field(default_factory=Levels)
    tried: list[Tried] = field(default_factory=list)
    needed: float = -math.inf
    """The signal over noise that it takes to pass, by those that passed on fewer samples alone."""

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
        known = self._find(candidate) or Tried(len(self.tried), candidate, trial)
        return self._climb(known, self.levels.counts[0] if few else self.levels.wanted)

    def verify(self, tried: Tried, *, strict: bool = True) -> Tried:
        """Return it compared on all samples.

        If it does not pass there, what is to pass needs more signal over noise than it has; and,
        where this is `strict`, more samples count from now on.
        """
        thought = tried.trial
        found = self._climb(tried, WHOLE, whatever=True)
        if thought.passed and not found.trial.passed:
            chance = find_chance(found.trial, shares=self.levels.shares)
            margin = MORE_DB if found.trial.shortfall > chance else LITTLE_DB
            self.needed = max(self.needed, _signal(found.trial) + margin)
            self.levels = self.levels.raised() if strict else self.levels
        return found

    def decide(self, tried: Tried) -> Tried:
        """Return it compared on all samples, if it passes on those that decide."""
        found = self._climb(tried, self.levels.wanted)
        return self.verify(found, strict=False) if found.trial.passed else found

    def _climb(self, tried: Tried, wanted: int, *, whatever: bool = False) -> Tried:
        """Compare on more and more samples, as far as is wanted and it may pass."""
        trial = tried.trial
        for count in self.levels.above(trial, wanted):
            known = self.is_known(tried.candidate, count)
            if self.tried and not whatever and time.monotonic() >= self.deadline and not known:
                raise OutOfTime
            fails = self._is_doomed(trial) or not self.levels.may_pass(trial)
            if trial.samples and not whatever and fails:
                break
            trial = self.attempt(tried.candidate, trial, count)
            if trial.problem:
                break
        short = not self.levels.is_done(trial, wanted)
        if trial.passed and not whatever and (short or self._is_doomed(trial)):
            trial = trial.model_copy(update={"passed": False})
        return self._remember(Tried(tried.index, tried.candidate, trial), before=tried.trial)

    def _is_doomed(self, trial: Trial) -> bool:
        return not self.levels.is_done(trial, WHOLE) and _signal(trial) < self.needed

    def _remember(self, made: Tried, *, before: Trial) -> Tried:
        if made.index < len(self.tried) and made.trial == before:
            return made
        others = (each.trial for each in self.tried if each.index != made.index)
        best = min(others, key=rank, default=None)
        self.tried[made.index : made.index + 1] = [made]
        self.tell(made.trial, best is None or rank(made.trial) < rank(best))
        return made

    def choose_options(self, start: Tried, stages: Sequence[Stage]) -> Tried:
        """Return the best of what costs nothing, or the first that passes on all samples.

        The choices of a stage stand instead of each other; each stage builds on the best before.
        """
        best = start
        for stage in stages:
            before = best
            for what, options in stage.choices:
                if self._is_enough(best) or (stage.enough and best is not before):
                    break
                candidate = before.candidate.adding(options)
                best = self._better(self.try_out(candidate, what, of=before, few=True), best)
        return best

    def choose_limits(
        self, best: Tried, uses: Iterable[tuple[str, float, float]], own: Mapping[str, object]
    ) -> Tried:
        """Return the best with other limits for some tensors, one after the other.

        Of each the limit, and the largest value, are known; `own` are the recipe's `ranges`.
        """
        for tensor, limit, largest in uses:
            for ladder in list_limits(limit, largest):
                before = best
                for value in ladder:
                    if self._is_enough(best):
                        return best
                    ranges = best.candidate.options.get(RANGES, own)
                    candidate = best.candidate.adding({RANGES: {**ranges, tensor: value}})
                    what = f"{tensor} within {value:g}"
                    found = self.try_out(candidate, what, of=best, few=True)
                    if self._better(found, best) is best:
                        break
                    best = found
                if best is not before:
                    break
        return best

    def _is_enough(self, best: Tried) -> bool:
        return best.trial.passed and self.levels.is_done(best.trial, WHOLE)

    def _better(self, new: Tried, old: Tried) -> Tried:
        """Return which of two to go on from; passing on few samples alone says nothing of that."""
        sides = [new.trial, old.trial]
        if not self.levels.exact:
            sides = [trial.model_copy(update={"passed": False}) for trial in sides]
        return new if is_better(*sides, shares=self.levels.shares) else old

    def choose_floats(self, best: Tried, layers: Sequence[str], macs: Mapping[str, int]) -> Tried:
        """Return the least more layers in float, worst first, that make it pass; or the best try.

        Groups grow to twice their size until one passes; then the least that does is looked for
        between that and the last that does not; then single layers are put back, the largest
        first. Neither is more than a likely order: every point is built and compared.
        """
        most = len(layers) - 1
        failing, count, tries = 0, min(1, most), [best]
        while failing < count:
            found = self._floating(best, layers[:count])
            tries.append(found)
            if found.trial.passed:
                return self.put_back(self._bisect(best, layers, failing, count), macs)
            failing, count = count, min(2 * count, most)
        return min(tries, key=lambda each: rank(each.trial))

    def put_back(self, least: Tried, macs: Mapping[str, int]) -> Tried:
        """Return what passes with single layers in INT8 again, those with most work first."""
        heaviest = sorted(least.candidate.floats, key=lambda name: (-macs.get(name, 0), name))
        for name in heaviest[:MOST_BACK]:
            least = self._back(least, name)
        return least

    def put_back_fitted(self, plain: Tried, fitted: Tried) -> Tried:
        """Return what passes with options fitted to it and single layers in INT8 again.

        First those without which `plain`, the same without these options, came closest.
        """
        near = {
            name: known.trial
            for name in plain.candidate.floats
            if (known := self._find(_leave_out(plain.candidate, name))) is not None
        }
        for name in sorted(near, key=lambda name: rank(near[name]))[:MOST_FITTED]:
            fitted = self._back(fitted, name)
        return fitted

    def give_back(self, start: Tried, section: Quantization) -> Tried:
        """Return what still passes with less that the recipe itself keeps in float."""
        best: Tried = start
        kept: dict[str, Any] = {SKIP: section.skip, PRECISION: section.precision}
        for what, key, pattern in list_returns(section):
            rest = leave_line_out(kept[key], pattern)
            found = self.try_out(best.candidate.adding({key: rest}), what, of=best)
            if found.trial.passed:
                best, kept[key] = found, rest
        return best

    def _back(self, least: Tried, name: str) -> Tried:
        rest = _leave_out(least.candidate, name).floats
        if not rest:
            return least
        candidate = Candidate(least.candidate.options, rest)
        found = self.try_out(candidate, f"{name} in INT8 again", of=least)
        return found if found.trial.passed else least

    def _find(self, candidate: Candidate) -> Tried | None:
        return next((each for each in self.tried if each.candidate.key == candidate.key), None)

    def simplify(self, best: Tried) -> Tried:
        """Return what does as well without the options that it does not need; measure the others.

        The last first: it was added for what the others did not do. What passes goes without those
        that it passes without; otherwise those go that gain nothing any more.
        """
        for key in reversed(list(best.candidate.options)):
            found = self._without(best, key)
            if found is not None and self._does_as_well(found, best):
                best = found
        for key in [*best.candidate.options, SKIP]:
            self._without(best, key)
        return best

    def _does_as_well(self, less: Tried, best: Tried) -> bool:
        if less.trial.passed or best.trial.passed:
            return less.trial.passed
        return not less.trial.problem and self._better(best, less) is less

    def _without(self, best: Tried, key: str) -> Tried | None:
        """Try a candidate without one of its changes; None where that is the recipe as it is."""
        candidate = best.candidate.without(key)
        return None if candidate.is_plain else self.try_out(candidate, f"no {key}", of=best)

    def _bisect(self, best: Tried, layers: Sequence[str], failing: int, passing: int) -> Tried:
        while passing - failing > 1:
            middle = (passing + failing) // 2
            if self._floating(best, layers[:middle]).trial.passed:
                passing = middle
            else:
                failing = middle
        return self._floating(best, layers[:passing])

    def _floating(self, best: Tried, names: Sequence[str]) -> Tried:
        floats = (*best.candidate.floats, *names)
        layers = "1 layer" if len(floats) == 1 else f"{len(floats)} layers"
        candidate = Candidate(best.candidate.options, floats)
        return self.try_out(candidate, f"{layers} in float", of=best)


def _leave_out(candidate: Candidate, name: str) -> Candidate:
    return Candidate(candidate.options, tuple(each for each in candidate.floats if each != name))


def _signal(trial: Trial) -> float:
    signal = trial.first.sqnr_db
    return math.inf if signal is None else signal
