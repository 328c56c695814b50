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
MOST_PRUNED = 6
"""How many layers are tried in INT8 again, the largest first, once enough are in float."""


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

    def try_out(
        self, candidate: Candidate, what: str, *, of: Tried | None, best: Tried | None = None
    ) -> Tried:
        """Build and compare a candidate; one that was tried before is not tried again.

        It is told whether it is better than the `best` so far, by default what it changes.

        Raises:
            OutOfTime: that would cost time, and there is none left.
        """
        known = next((each for each in self.tried if each.candidate.key == candidate.key), None)
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
        self.tried.append(made)
        rival = best or of
        better = rival is None or is_better(made.trial, rival.trial, self.resolution)
        self.tell(made.trial, better)
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
                found = self.try_out(candidate, what, of=before, best=best)
                if is_better(found.trial, best.trial, self.resolution):
                    best = found
        return best

    def choose_floats(self, best: Tried, layers: Sequence[str], macs: Mapping[str, int]) -> Tried:
        """Return the least layers in float, worst first, that make it pass; else the best try.

        Groups grow to twice their size until one passes; then the least that does is looked for
        between that and the last that does not; then single layers are put back, the largest
        first. Neither is more than a likely order: every point is built and compared.
        """
        most = len(layers) - 1
        failing, passing, count = 0, None, 1
        tries = []
        while count <= most and passing is None:
            found = self._floating(best, layers[:count])
            tries.append(found)
            if found.trial.passed:
                passing = found
            else:
                failing = count
                count = min(2 * count, most) if count < most else most + 1
        if passing is None:
            return min([best, *tries], key=lambda each: rank(each.trial))
        least = self._bisect(best, layers, failing, passing)
        return self._prune(best, least, macs)

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

    def _bisect(self, best: Tried, layers: Sequence[str], failing: int, passing: Tried) -> Tried:
        while len(passing.candidate.floats) - failing > 1:
            middle = (len(passing.candidate.floats) + failing) // 2
            found = self._floating(best, layers[:middle])
            if found.trial.passed:
                passing = found
            else:
                failing = middle
        return passing

    def _prune(self, best: Tried, least: Tried, macs: Mapping[str, int]) -> Tried:
        names = least.candidate.floats
        heaviest = sorted(names, key=lambda name: (-macs.get(name, 0), name))
        for name in heaviest[:MOST_PRUNED] if len(names) > 1 else []:
            rest = [each for each in least.candidate.floats if each != name]
            if not rest:
                break
            found = self._floating(best, rest)
            if found.trial.passed:
                least = found
        return least

    def _floating(self, best: Tried, names: Sequence[str]) -> Tried:
        layers = "1 layer" if len(names) == 1 else f"{len(names)} layers"
        candidate = Candidate(best.candidate.options, tuple(names))
        return self.try_out(candidate, f"{layers} in float", of=best)
