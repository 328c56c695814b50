"""What a recipe demands of its results, and what of it a change takes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from trtbuild.core.words import format_bound, format_limit
from trtbuild.measure.metrics import METRIC_ROWS
from trtbuild.plan.difference import Loosened
from trtbuild.verbs.diff_lists import gather_list

__all__ = ["GateBound", "find_loosened", "list_rules"]

Facts = Mapping[str, str | int | float | bool]
"""Of a recipe, flat: `compare.gates[0].metric`."""
_SIGNS = {
    "at_least": "≥",
    "at_most": "≤",
    "drop_at_most": "drop ≤",
    "drop_from_lock_at_most": "drop from the lock ≤",
}
_GATES, _FLOAT, _OFF = "compare.gates", "quantization.allow_float", "checks.off."
_SEEDED = ".without_weights"


class GateBound(NamedTuple):
    """One bound of a gate."""

    metric: str
    output: str
    """Empty where every output is meant."""
    sort: str
    bound: float
    confidence: float = 0.0
    """0 where the value itself is judged."""

    def __str__(self) -> str:
        return f"{self.metric}{f' of {self.output}' if self.output else ''} {self.tell_bound()}"

    def tell_bound(self) -> str:
        """Write the bound as people do: `≥ 99 %`."""
        unit = METRIC_ROWS[self.metric].unit if self.metric in METRIC_ROWS else ""  # type: ignore[index]  # of any name
        drop = self.sort.startswith("drop")
        bound = format_limit(self.bound, unit) if drop else format_bound(self.bound, unit)
        sure = f", {format_bound(self.confidence, 'share')} sure" if self.confidence else ""
        return f"{_SIGNS[self.sort]} {bound}{sure}"

    def demands(self, other: GateBound) -> bool:
        """Tell whether what passes this passes the other."""
        high = self.sort == "at_least"
        strict = self.bound >= other.bound if high else self.bound <= other.bound
        return self.covers(other) and strict and self.confidence >= other.confidence

    def covers(self, other: GateBound) -> bool:
        """Tell whether this is a rule on all that the other is on, whatever the bounds."""
        same = (self.metric, self.sort) == (other.metric, other.sort)
        return same and self.output in ("", other.output)


def list_rules(gate: Mapping[str, Any]) -> Iterator[GateBound]:
    """Yield the bounds of a gate, given as a recipe has it."""
    for sort in _SIGNS:
        bound = gate.get(sort)
        if isinstance(bound, int | float):
            yield GateBound(
                str(gate.get("metric", "")),
                str(gate.get("output") or ""),
                sort,
                bound,
                float(gate.get("confidence") or 0.0),
            )


def find_loosened(before: Facts, after: Facts) -> tuple[Loosened, ...]:
    """Return all that is not demanded any more, or less strictly, gates first.

    What gates are judged on counts where there are any: of other data, or against another
    reference, the same bound demands something else.
    """
    old, new = _rules(before), _rules(after)
    return (
        *_lost_rules(old, new),
        *(_judged_otherwise(before, after) if old and new else ()),
        *_allowed(before, after),
    )


def _rules(facts: Facts) -> list[GateBound]:
    gates = [each for each in gather_list(_GATES, facts) if isinstance(each, dict)]
    return list(dict.fromkeys(rule for gate in gates for rule in list_rules(gate)))


def _lost_rules(old: list[GateBound], new: list[GateBound]) -> Iterator[Loosened]:
    for rule in old:
        if any(each.demands(rule) for each in new):
            continue
        weaker = [each for each in new if each.covers(rule)]
        narrower = [each.output for each in new if rule.covers(each) and not each.covers(rule)]
        if weaker:
            told = f"{rule} → {weaker[0].tell_bound()}"
            yield Loosened(what="Gate loosened", told=told)
        elif narrower:
            told = f"{rule}: of {', '.join(dict.fromkeys(narrower))} alone, no more of every output"
            yield Loosened(what="Gate loosened", told=told)
        else:
            yield Loosened(what="Gate removed", told=str(rule))


def _judged_otherwise(before: Facts, after: Facts) -> Iterator[Loosened]:
    data = f"data.{before.get('compare.data')}."
    for key in sorted(before.keys() | after.keys()):
        judging = key == "compare.data" or key.startswith(
            ("compare.reference.", "compare.outputs.", data)
        )
        if judging and before.get(key) != after.get(key):
            sides = (_write(facts.get(key)) for facts in (before, after))
            yield Loosened(what="Gates judged otherwise", told=f"{key}: {' → '.join(sides)}")


def _allowed(before: Facts, after: Facts) -> Iterator[Loosened]:
    allowed = [set(map(str, gather_list(_FLOAT, facts))) for facts in (before, after)]
    for name in sorted(allowed[1] - allowed[0]):
        yield Loosened(what="Allowed to come out in float", told=name)
    for key in sorted(after.keys() - before.keys()):
        if key.startswith(_OFF):
            yield Loosened(what="Check turned off", told=f"{key[len(_OFF) :]}: {after[key]}")
    for key, value in sorted(after.items()):
        if key.endswith(_SEEDED) and value == "seeded" and before.get(key) != value:
            yield Loosened(what="Weights may be missing", told=f"{key}: {value}")


def _write(value: object) -> str:
    return "not set" if value is None else str(value)
