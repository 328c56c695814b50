"""What the results of two locks say: figures, gates, and the verdict on both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from trtbuild.core.delivered import DeliveredType, list_deliveries
from trtbuild.measure.bits import read_bits
from trtbuild.measure.metrics import METRIC_ROWS, find_unit
from trtbuild.measure.noise import FigureVerdict, judge_apart, judge_movement, judge_pairs
from trtbuild.plan.difference import DiffVerdict, FigureChange, GateChange
from trtbuild.plan.lock import Lock, LockedTarget

__all__ = ["compare_figures", "compare_gates", "judge_results"]

_SEVERE = ("worse", "better", "unknown", "noise", "same")


def compare_figures(then: Lock, now: Lock, samples: Sequence[str] = ()) -> tuple[FigureChange, ...]:
    """Compare what was measured on both sides; `samples` are named, in order, where they can be."""
    found = [
        _compare(key, then, now, samples)
        for key in now.measures
        if key in then.measures and (key.rpartition(".")[2] in METRIC_ROWS or key in now.figures)
    ]
    return tuple(sorted(found, key=lambda each: _SEVERE.index(each.verdict)))


def _compare(key: str, then: Lock, now: Lock, names: Sequence[str]) -> FigureChange:
    output, _, metric = key.rpartition(".")
    before, after = then.measures[key], now.measures[key]
    counts = (_count(then), _count(now))
    same = bool(now.compared.get("data")) and then.compared.get("data") == now.compared.get("data")
    bits = [read_bits(lock.right.get(key, ""), _count(lock)) for lock in (then, now)]
    lost: tuple[int, ...] = ()
    gained: tuple[int, ...] = ()
    paired = same and bits[0] is not None and bits[1] is not None
    if bits[0] is not None and bits[1] is not None and same:
        pairs = judge_pairs(bits[0], bits[1])
        verdict, lost, gained = pairs.verdict, pairs.lost, pairs.gained
    elif _find_unit(key, now) == "share" and all(counts) and not same:
        verdict = judge_apart(before, after, counts)
    else:
        verdict = judge_movement(metric, before, after, counts[1], known=now.figures.get(key, ""))
    return FigureChange(
        output=output,
        metric=metric,
        unit=_find_unit(key, now) if key in now.figures else None,
        before=before,
        after=after,
        verdict=verdict,
        interval_before=then.intervals.get(key),
        interval_after=now.intervals.get(key),
        reference=str(now.compared.get("reference", "FP32")),
        reference_before=then.references.get(key),
        reference_after=now.references.get(key),
        samples=counts[1],
        paired=paired,
        lost=tuple(_name(index, names) for index in lost),
        gained=tuple(_name(index, names) for index in gained),
    )


def _find_unit(key: str, lock: Lock) -> str:
    """Return the unit of a measure of a lock."""
    known = lock.figures.get(key)
    return find_unit(key.rpartition(".")[2]) if known is None else known.rpartition(" ")[0]


def _count(lock: Lock) -> int:
    count = lock.compared.get("samples", 0)
    return count if isinstance(count, int) else 0


def _name(index: int, names: Sequence[str]) -> str:
    return names[index] if index < len(names) else f"sample {index}"


def compare_gates(then: Lock | None, now: Lock | None) -> tuple[GateChange, ...]:
    """Return the gates that do not pass on one of the sides; those that do not now come first."""
    old, new = (side.gates if side is not None else {} for side in (then, now))
    found = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        told = after or before
        if told is not None and not all(each.passed for each in (before, after) if each):
            found.append(
                GateChange(
                    gate=name,
                    before=before.passed if before else None,
                    after=after.passed if after else None,
                    judged=told.judged,
                    told=told.told,
                )
            )
    return tuple(sorted(found, key=lambda each: each.after is not False))


def judge_results(
    then: Lock | None,
    now: Lock | None,
    figures: Iterable[FigureChange],
    gates: Iterable[GateChange],
    *,
    differ: bool,
) -> DiffVerdict:
    """Sum up: a gate that fails and did not, a figure or INT8 that fell, against what rose."""
    found: set[FigureVerdict] = {each.verdict for each in figures}
    for gate in gates:
        if gate.after is False and gate.before is not False:
            found.add("worse")
        elif gate.after and gate.before is False:
            found.add("better")
    if then is not None and now is not None:
        found |= set(_delivered(then.targets, now.targets))
    if {"worse", "better"} <= found:
        return "mixed"
    for verdict in ("worse", "better"):
        if verdict in found:
            return verdict
    if not differ:
        return "same"
    found -= {"same"} if len(found) > 1 else set()
    return found.pop() if len(found) == 1 else "unknown"


def _delivered(
    then: Mapping[str, LockedTarget], now: Mapping[str, LockedTarget]
) -> Iterator[FigureVerdict]:
    """Judge how much of what is asked for in quantized types engines have."""
    for name in then.keys() & now.keys():
        before, after = (_share(list_deliveries(each)) for each in (then[name], now[name]))
        if before != after:
            yield "better" if after > before else "worse"


def _share(counts: Sequence[DeliveredType]) -> float:
    asked = sum(each.asked for each in counts)
    return sum(each.delivered for each in counts) / asked if asked else 1.0
