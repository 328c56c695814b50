"""The search itself: what costs nothing at run time first, then layers in floating point."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trtbuild.core.tuning import Trial
from trtbuild.verbs.tuning.candidates import SKIP, Candidate, Stage
from trtbuild.verbs.tuning.standing import is_better, rank

__all__ = ["OutOfTime", "Search", "Tried"]

Attempt = Callable[[Candidate, Trial], Trial]
MOST_BACK = 6
"""How many layers are tried in INT8 again, once enough are in float."""
MOST_FITTED = 3
"""The same with rounding fitted to each, which takes long."""


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
    """What was tried so far, in order; the same each time, as far as time lasts."""

    attempt: Attempt
    """Builds a candidate and compares it as a whole."""
    is_known: Callable[[Candidate], bool]
    """Whether that costs nothing, since it was done before."""
    tell: Callable[[Trial, bool], None]
    """Hears of each trial, and whether it is gone on from."""
    deadline: float
    """Of `time.monotonic()`."""
    resolution: float = 0.0
    """The shortfall that is a sample's chance."""
    tried: list[Tried] = field(default_factory=list)

    def try_out(self, candidate: Candidate, what: str, *, of: Tried | None) -> Tried:
        """Build and compare a candidate; one that was tried before is not tried again.

        It is told whether it is better than all before.

        Raises:
            OutOfTime: that would cost time, and there is none left.
        """
        known = self._find(candidate)
        if known is not None:
            return known
        late = of is not None and time.monotonic() >= self.deadline
        if late and not self.is_known(candidate):
            raise OutOfTime
        trial = Trial(
            what=what,
            options=dict(candidate.options),
            floats=candidate.floats,
            of=None if of is None else of.index,
        )
        made = Tried(len(self.tried), candidate, self.attempt(candidate, trial))
        best = min((each.trial for each in self.tried), key=rank, default=None)
        self.tried.append(made)
        self.tell(made.trial, best is None or rank(made.trial) < rank(best))
        return made

    def choose_options(self, start: Tried, stages: Sequence[Stage]) -> Tried:
        """Return the best of what costs nothing, or the first that passes.

        The choices of a stage stand instead of each other; each stage builds on the best before.
        """
        best = start
        for stage in stages:
            before = best
            for what, options in stage.choices:
                if best.trial.passed:
                    return best
                candidate = before.candidate.adding(options)
                found = self.try_out(candidate, what, of=before)
                if is_better(found.trial, best.trial, self.resolution):
                    best = found
        return best

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
        """Return what passes without the options that it does not need; measure those it does.

        The last first: it was added for what the others did not do.
        """
        for key in reversed(list(best.candidate.options)):
            found = self._without(best, key)
            if found is not None and found.trial.passed:
                best = found
        for key in [*best.candidate.options, SKIP]:
            self._without(best, key)
        return best

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
