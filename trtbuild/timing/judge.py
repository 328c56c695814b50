"""What gates on speed come to on what a bench has measured."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Sequence

from trtbuild.core.durations import format_ms, format_rate, format_shapes, format_times
from trtbuild.core.timing import BenchResult, Contrast, NotRun, SpeedRow, SpeedVerdict
from trtbuild.timing.contrasts import ALIKE_APART
from trtbuild.timing.gates import FasterThan, SpeedGate

__all__ = ["Recall", "judge_speed"]

Recall = Callable[[SpeedRow], tuple[tuple[float, float] | None, str]]
"""Where the p50 of a row lay when it was locked, in ms; or None, and why that is not known."""


def judge_speed(
    gates: Sequence[SpeedGate], found: BenchResult, recall: Recall
) -> tuple[SpeedVerdict, ...]:
    """Judge each gate on each row that it means; where there is none, say why it is not judged."""
    return tuple(verdict for gate in gates for verdict in _judge(gate, found, recall))


def _judge(gate: SpeedGate, found: BenchResult, recall: Recall) -> Iterator[SpeedVerdict]:
    rows = [
        row
        for row in found.rows
        if _means(gate.variant, row.variant) and gate.batch in (None, row.batch)
    ]
    for row in rows:
        if gate.at_most is not None:
            yield _judge_bound(gate, row, gate.at_most)
        elif gate.faster_than is not None:
            yield from _judge_ratio(gate, row, gate.faster_than, found)
        else:
            yield _judge_lock(gate, row, gate.slower_than_lock_at_most or 0.0, recall)
    if not rows:
        yield _leave(gate, gate.variant, _explain_absence(gate.variant, found.not_run))


def _means(pattern: str, variant: str) -> bool:
    return pattern == variant.rpartition("/")[0] or fnmatch.fnmatchcase(variant, pattern)


def _explain_absence(variant: str, left: Sequence[NotRun]) -> str:
    reasons = [f"{each.name}: {each.reason}" for each in left if _means(variant, each.name)]
    return f"it was not run: {'; '.join(reasons)}" if reasons else "no such variant was measured"


def _leave(gate: SpeedGate, variant: str, why: str, row: SpeedRow | None = None) -> SpeedVerdict:
    shapes = {} if row is None else row.shapes
    return SpeedVerdict(
        gate=gate.describe(), variant=variant, shapes=shapes, passed=False, judged=False, remark=why
    )


def _tell(gate: SpeedGate, row: SpeedRow, found: str, *, passed: bool) -> SpeedVerdict:
    told = f"{row.variant} at {format_shapes(row.shapes)}: {found}"
    return SpeedVerdict(
        gate=gate.describe(), variant=row.variant, shapes=row.shapes, passed=passed, found=told
    )


def _judge_bound(gate: SpeedGate, row: SpeedRow, bound: float) -> SpeedVerdict:
    spread = row.host
    value = {"p50_ms": spread.p50, "p90_ms": spread.p90, "p99_ms": spread.p99}[gate.metric]
    high = "not bounded" if value.high is None else f"at most {format_ms(value.high)}"
    passed = value.high is not None and value.high <= bound
    sure = "" if passed or value.ms > bound else ": so many calls do not prove it"
    return _tell(gate, row, f"{format_ms(value.ms)}, {high} (95 %){sure}", passed=passed)


def _judge_ratio(
    gate: SpeedGate, row: SpeedRow, other: FasterThan, found: BenchResult
) -> Iterator[SpeedVerdict]:
    runner = row.variant.rpartition("/")[2]
    name = other.variant if "/" in other.variant else f"{other.variant}/{runner}"
    ends = next(filter(None, (_read_ratio(each, row, name) for each in found.contrasts)), None)
    if ends is None:
        why = _explain_absence(name, found.not_run)
        yield _leave(gate, row.variant, f"{name}: {why}", row)
        return
    ratio, low, high = ends
    told = f"{format_times(ratio)}, {format_times(low)} to {format_times(high)} (99.9 %), of {name}"
    yield _tell(gate, row, told, passed=low >= other.by)


def _read_ratio(found: Contrast, row: SpeedRow, other: str) -> tuple[float, float, float] | None:
    """Return the other's time over the row's, and its interval, whichever way it was compared."""
    if found.shapes != row.shapes:
        return None
    if (found.variant, found.against) == (row.variant, other):
        return found.ratio, found.low, found.high
    if (found.variant, found.against) == (other, row.variant):
        return 1 / found.ratio, 1 / found.high, 1 / found.low
    return None


def _judge_lock(gate: SpeedGate, row: SpeedRow, allowed: float, recall: Recall) -> SpeedVerdict:
    before, why = recall(row)
    if before is None:
        return _leave(gate, row.variant, why, row)
    now = row.host.p50
    grown = (now.ms if now.low is None else now.low) / before[1]
    told = f"p50 {format_ms(now.ms)}, locked {format_ms(before[0])} to {format_ms(before[1])}"
    rate = f"; {format_rate(row.per_second)} a second"
    return _tell(gate, row, told + rate, passed=grown <= (1 + allowed) * (1 + ALIKE_APART))
