"""The search itself: what costs nothing at run time first, then layers in floating point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.verbs.tuning.attempts import Attempts, Tried
from trtbuild.verbs.tuning.candidates import (
    HEAD,
    INTEGERS_ALONE,
    OVERRIDES,
    PRECISION,
    PROTECT,
    RANGES,
    SKIP,
    Candidate,
    TuningStage,
    Use,
    leave_line_out,
    list_limits,
    list_overrides,
    list_returns,
    write_pattern,
)

if TYPE_CHECKING:
    from trtbuild.core.quantized_types import QuantizedType
    from trtbuild.recipe.schema import Quantization

__all__ = ["Search"]

MOST_BACK = 2
"""How many layers are tried quantized again, once enough are in float."""
MOST_RETYPED = 4
"""How many of them are tried in another quantized type, one by one."""
MOST_FITTED = 1
"""The same with rounding fitted to each, which takes long."""


class Search(Attempts):
    """Ways to choose: each tries candidates, and returns the one to go on from."""

    def choose_options(self, start: Tried, stages: Sequence[TuningStage]) -> Tried:
        """Return the best of what costs nothing, or the first that passes on all samples.

        The choices of a stage stand instead of each other; each stage builds on the best before.
        """
        best = start
        for stage in stages:
            before = best
            for what, options in stage.choices:
                if self.is_enough(best) or (stage.enough and best is not before):
                    break
                candidate = before.candidate.adding(options)
                best = self.choose(self.try_out(candidate, what, of=before, few=True), best)
        return best

    def choose_overrides(
        self, best: Tried, uses: Iterable[Use], own: Mapping[str, object], kind: str
    ) -> Tried:
        """Return the better of one, and the same with calibrators of their own for some tensors.

        `own` are the recipe's `calibrators`, and `kind` is its calibrator's, which is left alone
        where it compares others tensor by tensor, or measures nothing.
        """
        kind = best.candidate.options.get("calibrator", {"kind": kind})["kind"]
        settled = {**own, **best.candidate.options.get(RANGES, {})}
        others = list_overrides(uses, settled)
        if self.is_enough(best) or not others or kind in ("", "auto", "cache"):
            return best
        candidate = best.candidate.adding({OVERRIDES: {**own, **others}})
        told = ", ".join(f"{tensor} {each['kind']}" for tensor, each in others.items())
        return self.better(self.try_out(candidate, f"calibrators: {told}", of=best, few=True), best)

    def choose_limits(self, best: Tried, uses: Iterable[Use], own: Mapping[str, object]) -> Tried:
        """Return the best with other limits for some tensors, one after the other.

        Of each the limit, and the largest value, are known; `own` are the recipe's `ranges`.
        """
        for tensor, limit, largest in uses:
            for ladder in list_limits(limit, largest):
                before = best
                for value in ladder:
                    if self.is_enough(best):
                        return best
                    ranges = best.candidate.options.get(RANGES, own)
                    candidate = best.candidate.adding({RANGES: {**ranges, tensor: value}})
                    what = f"{tensor} within {value:g}"
                    found = self.try_out(candidate, what, of=best, few=True)
                    if self.better(found, best) is best:
                        break
                    best = found
                if best is not before:
                    break
        return best

    def choose_floats(self, best: Tried, layers: Sequence[str], macs: Mapping[str, int]) -> Tried:
        """Return the fewest more layers in float, by their order, that do; or the best of all.

        Groups grow to twice their size until one passes; then the least that does is looked for
        between that and the last that does not; then single layers are put back, the largest
        first. Neither is more than a likely order: every point is built and compared.
        """
        layers = [name for name in layers if name not in best.candidate.floats]
        most = len(layers) - 1
        failing, count, tries = 0, min(1, most), [best]
        while failing < count:
            found = self._floating(best, layers[:count])
            tries.append(found)
            if found.trial.passed:
                return self.put_back(self._bisect(best, layers, failing, count), macs)
            failing, count = count, min(2 * count, most)
        return min(tries, key=lambda each: self.rank(each.trial))

    def choose_head(
        self, best: Tried, head: Sequence[str], macs: Mapping[str, int], own: Sequence[str]
    ) -> Tried:
        """Return the best with a detector's head in float where that helps, or the least of it.

        `own` are the recipe's policies; that for the head stands for its layers.
        """
        policies = best.candidate.options.get(PROTECT, own)
        if not head or HEAD in policies:
            return best
        candidate = best.candidate.adding({PROTECT: [*policies, HEAD]})
        found = self.try_out(candidate, f"protect: {HEAD}", of=best)
        if not found.trial.passed:
            return self.better(found, best)
        named = Candidate(best.candidate.options, (*best.candidate.floats, *head))
        for name in _list_heaviest(head, macs):
            less = _leave_out(named, name)
            tried = self.try_out(less, f"{HEAD} but {name}", of=found)
            found, named = (tried, less) if tried.trial.passed else (found, named)
        return found

    def choose_types(
        self,
        best: Tried,
        types: Sequence[QuantizedType],
        own: Mapping[str, str],
        macs: Mapping[str, int],
    ) -> Tried:
        """Return what still passes with layers in another quantized type in the place of float.

        All at once, else those with most work one by one; `own` is the recipe's `precision`. What
        the search has found that is made for INT8 alone goes.
        """
        for into in types:
            floats = best.candidate.floats
            if not best.trial.passed or not floats:
                break
            whole = self._retype(best, floats, into, own)
            if whole.trial.passed or len(floats) == 1:
                best = whole if whole.trial.passed else best
                continue
            for name in _list_heaviest(floats, macs, MOST_RETYPED):
                found = self._retype(best, (name,), into, own)
                best = found if found.trial.passed else best
        return best

    def _retype(
        self, best: Tried, names: Sequence[str], into: QuantizedType, own: Mapping[str, str]
    ) -> Tried:
        before = best.candidate.options.get(PRECISION, own)
        asked = {**before, **{write_pattern(name): into.name for name in names}}
        rest = tuple(each for each in best.candidate.floats if each not in names)
        options = best.candidate.options
        gone = [option for option in INTEGERS_ALONE if option in options]
        kept = {option: value for option, value in options.items() if option not in gone}
        candidate = Candidate({**kept, PRECISION: asked}, rest)
        told = names[0] if len(names) == 1 else f"{len(names)} layers"
        told = "".join([f"{told} in {into.word}", *(f", no {option}" for option in gone)])
        return self.try_out(candidate, told, of=best)

    def put_back(self, least: Tried, macs: Mapping[str, int]) -> Tried:
        """Return what passes with single layers quantized again, those with most work first."""
        for name in _list_heaviest(least.candidate.floats, macs):
            least = self._back(least, name)
        return least

    def put_back_fitted(self, plain: Tried, fitted: Tried) -> Tried:
        """Return what passes with options fitted to it and single layers quantized again.

        First those without which `plain`, the same without these options, came closest.
        """
        near = {
            name: known.trial
            for name in plain.candidate.floats
            if (known := self.find(_leave_out(plain.candidate, name))) is not None
        }
        for name in sorted(near, key=lambda name: self.rank(near[name]))[:MOST_FITTED]:
            fitted = self._back(fitted, name)
        return fitted

    def give_back(self, start: Tried, section: Quantization) -> Tried:
        """Return what still passes with less that the recipe itself keeps in float."""
        best: Tried = start
        kept: dict[str, Any] = {key: getattr(section, key) for key in (SKIP, PROTECT, PRECISION)}
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
        found = self.try_out(candidate, f"{name} in {self.word} again", of=least)
        return found if found.trial.passed else least

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


def _list_heaviest(
    names: Iterable[str], macs: Mapping[str, int], most: int = MOST_BACK
) -> list[str]:
    """Return the layers to try quantized again: those with most work."""
    return sorted(names, key=lambda name: (-macs.get(name, 0), name))[:most]


def _leave_out(candidate: Candidate, name: str) -> Candidate:
    return Candidate(candidate.options, tuple(each for each in candidate.floats if each != name))
