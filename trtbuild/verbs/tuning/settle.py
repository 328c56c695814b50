"""What may pass: freed of what it does not need, and then compared on all samples."""

from __future__ import annotations

from collections.abc import Mapping

from trtbuild.verbs.tuning.attempts import Attempts, Tried
from trtbuild.verbs.tuning.candidates import OVERRIDES, PROTECT, SKIP
from trtbuild.verbs.tuning.search import Search

__all__ = ["settle", "settle_layers", "simplify"]

_ANEW = ("calibrator", "equalize", OVERRIDES)
"""Options without which all is calibrated anew."""


def settle(attempts: Attempts, tried: Tried, *, near: bool = False, strict: bool = False) -> Tried:
    """Return what passes on all samples, if it does on those that decide.

    It is made simple before that: only what remains is compared on all samples, and what it was
    before only where that fails. With `near`, a sample too many is chance: what costs nothing at
    run time is worth a second look. Where it is `strict`, more samples decide from then on if all
    contradict.
    """
    found = attempts.decide(tried)
    passes = found.trial.passed
    if not passes and not (near and attempts.is_near(found)):
        return found
    less = simplify(attempts, found)
    if less is not found:
        less = attempts.decide(less)
        less = found if passes and not less.trial.passed else less
    best = attempts.verify(less)
    if not best.trial.passed and passes and less is not found:
        best = attempts.verify(found)
    if strict and not best.trial.passed:
        attempts.levels = attempts.levels.raised()
    return best


def settle_layers(search: Search, best: Tried, macs: Mapping[str, int], *, settled: bool) -> Tried:
    """Return what passes on all samples, with single layers quantized again where that does.

    One that is `settled` passes there: options were chosen beside its layers, which may do without
    some now. Of others, options were chosen before, for what was worst then: beside layers in float
    they may do harm, for which more of these made up.
    """
    if not best.trial.passed or not best.candidate.floats:
        return best if settled else settle(search, best, strict=True)
    if not settled:
        return settle(search, _put_back_freed(search, best, macs), strict=True)
    less = search.put_back(best, macs)
    found = best if less is best else settle(search, less)
    return found if found.trial.passed else best


def _put_back_freed(search: Search, best: Tried, macs: Mapping[str, int]) -> Tried:
    if len(best.candidate.floats) == 1:
        return best
    less = simplify(search, best)
    if less is best:
        return best
    less = search.decide(less)
    return search.put_back(less, macs) if less.trial.passed else best


def simplify(attempts: Attempts, best: Tried) -> Tried:
    """Return what does as well without the options that it does not need.

    The last first: it was added for what the others did not do. Those go that give no signal any
    more, which few samples tell; what would have to be calibrated anew for that has given enough
    when it was added. Where there are no more than few samples, or work in float is saved, those go
    without which it still passes.
    """
    exact = attempts.levels.exact
    for key in reversed(list(best.candidate.options)):
        if exact or key not in _ANEW:
            found = _try_without(attempts, best, key)
            if found is not None and _does_as_well(attempts, found, best):
                best = found
    for key in [*(best.candidate.options if exact else ()), SKIP]:
        _try_without(attempts, best, key)
    return best


def _does_as_well(attempts: Attempts, less: Tried, best: Tried) -> bool:
    saves = attempts.levels.exact or less.trial.int8_share > best.trial.int8_share
    if saves and (less.trial.passed or best.trial.passed):
        return less.trial.passed
    return not less.trial.problem and attempts.better(best, less) is less


def _try_without(attempts: Attempts, best: Tried, key: str) -> Tried | None:
    """Try a candidate without one of its changes; None where that is the recipe as it is."""
    candidate = best.candidate.without(key)
    if candidate.is_plain:
        return None
    return attempts.try_out(candidate, f"no {key}", of=best, few=key != PROTECT)
