"""What a gate comes to: the number or its interval against the limit, in words that show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from trtbuild.core import words
from trtbuild.core.comparison import CONFIDENCE, Ends, GateVerdict, Interval, Measure
from trtbuild.core.frozen import frozen

__all__ = [
    "FAULTS",
    "judge_against_lock",
    "judge_at_least",
    "judge_at_most",
    "judge_drop",
    "judge_faults",
    "leave_unjudged",
]

# A drop is a difference of two shares k/n; this is far below 1/n for any n a person has, and
# above the rounding of the subtraction: 0.98 - 0.97 is 0.010000000000000009.
_SLACK = 1e-9
FAULTS = "values that can be compared"
"""What is judged whether a gate asks for it or not."""


@frozen
class _Judging:
    """A number of a measure, held against a limit."""

    rule: str
    measure: Measure
    limit: float
    value: float | None
    ends: Ends | None
    """Of the interval that is judged or shown."""
    confidence: float | None
    """Asked for by the gate: the interval is judged, and not the value."""
    samples: int
    side: Literal["least", "most"]
    drop: bool = False

    def judge(self) -> GateVerdict:
        """Return what it comes to."""
        measure, found = self.measure, ""
        if self.value is None:
            passed = measure.identical and self.side == "least" and not self.drop
            found = "identical" if measure.identical else ""
            remark = "" if measure.identical else measure.remark
            return self._verdict(passed=passed, found=found, remark=remark)
        found = self._format(self.value)
        if self.confidence is not None and self.ends is None:
            remark = "it has no interval to judge: there are too few samples, or it was not drawn"
            return self._verdict(passed=False, found=found, remark=remark)
        judged = self.value if self.confidence is None or self.ends is None else self._worse()
        passed = self._holds(judged)
        return self._verdict(
            passed=passed,
            found=found,
            missed_by="" if passed else self._format_gap(abs(judged - self.limit)),
            doubt=self._doubt(passed=passed),
        )

    def _worse(self) -> float:
        assert self.ends is not None  # noqa: S101  # asked for before
        return self.ends[0] if self.side == "least" else self.ends[1]

    def _holds(self, value: float) -> bool:
        if self.side == "least":
            return value >= self.limit - (_SLACK if self.drop else 0.0)
        return value <= self.limit + (_SLACK if self.drop else 0.0)

    def _verdict(
        self, *, passed: bool, found: str, remark: str = "", missed_by: str = "", doubt: str = ""
    ) -> GateVerdict:
        interval = ""
        if self.ends is not None:
            confidence = self.confidence or CONFIDENCE
            told = words.format_interval(self.ends, self.measure.unit, drop=self.drop)
            interval = f"{told} ({words.format_bound(confidence, 'share')})"
        sure = "" if self.confidence is None else f", {_percent(self.confidence)} sure"
        return GateVerdict(
            gate=self.rule + sure,
            passed=passed,
            value=self.value,
            output=self.measure.output,
            found=found,
            interval=interval,
            remark=remark,
            missed_by=missed_by,
            doubt=doubt,
        )

    def _format(self, value: float) -> str:
        if self.drop:
            return words.format_drop(value, self.measure.unit, apart=[self.limit])
        return words.format_figure(value, self.measure.unit, apart=[self.limit])

    def _format_gap(self, gap: float) -> str:
        unit = self.measure.unit
        return words.format_drop(gap, unit).removeprefix("drop ") if gap else "a rounding"

    def _doubt(self, *, passed: bool) -> str:
        """Say where the samples are too few for the rule, or the reference is not good enough."""
        reference = self.measure.reference
        if not passed and not self.drop and reference is not None and not self._holds(reference):
            told = words.format_figure(reference, self.measure.unit, apart=[self.limit])
            beyond = f"the reference itself has {told}, and would not pass"
            return "; ".join(filter(None, (beyond, self.measure.doubt)))
        if not passed and self.confidence is not None and self._holds(self.value or 0.0):
            few = f"the value passes, and {self.samples} samples do not prove it: take more"
            return "; ".join(filter(None, (few, self.measure.doubt)))
        if self.measure.doubt:
            return self.measure.doubt
        if self.drop and self.measure.unit == "share" and 0 < self.limit * self.samples < 1:
            one = words.format_figure(1 / self.samples, "share").removesuffix(" %")
            return f"one of {self.samples} samples is {one} points, more than the gate allows"
        if self.confidence is None and self.ends is not None and self.samples:
            both = {self._holds(end) for end in self.ends}
            if both == {True, False}:
                said = "fail" if passed else "pass"
                return f"{self.samples} samples do not settle it: others might {said}"
        return ""


def _percent(confidence: float) -> str:
    return words.format_bound(confidence, "share")


def _find(measure: Measure, confidence: float | None) -> Interval | None:
    return measure.find_interval(CONFIDENCE if confidence is None else confidence)


def judge_at_least(
    measure: Measure, limit: float, confidence: float | None, samples: int
) -> GateVerdict:
    """Judge a floor under the value."""
    return _judge_value("≥", "least", measure, limit, confidence=confidence, samples=samples)


def judge_at_most(
    measure: Measure, limit: float, confidence: float | None, samples: int
) -> GateVerdict:
    """Judge a ceiling over the value."""
    return _judge_value("≤", "most", measure, limit, confidence=confidence, samples=samples)


def _judge_value(
    sign: str,
    side: Literal["least", "most"],
    measure: Measure,
    limit: float,
    *,
    confidence: float | None,
    samples: int,
) -> GateVerdict:
    found = _find(measure, confidence)
    return _Judging(
        f"{measure.metric} {sign} {words.format_bound(limit, measure.unit)}",
        measure,
        limit,
        measure.value,
        None if found is None else found.value,
        confidence,
        samples,
        side,
    ).judge()


def judge_drop(
    measure: Measure, limit: float, confidence: float | None, samples: int
) -> GateVerdict:
    """Judge how far the candidate fell from the reference."""
    found = _find(measure, confidence)
    return _Judging(
        f"{measure.metric} drop ≤ {words.format_limit(limit, measure.unit)}",
        measure,
        limit,
        measure.drop,
        None if found is None else found.drop,
        confidence,
        samples,
        "most",
        drop=True,
    ).judge()


def judge_against_lock(
    measure: Measure, before: float, limit: float, confidence: float | None, samples: int
) -> GateVerdict:
    """Judge how far a figure fell from what a lock says that it was."""
    found = _find(measure, confidence)
    sign = 1 if measure.better == "high" else -1
    ends = None
    if found is not None:
        low, high = sorted(sign * (before - end) for end in found.value)
        ends = (low, high)
    return _Judging(
        f"{measure.metric} drop from the lock ≤ {words.format_limit(limit, measure.unit)}",
        measure,
        limit,
        None if measure.value is None else sign * (before - measure.value),
        ends,
        confidence,
        samples,
        "most",
        drop=True,
    ).judge()


def leave_unjudged(verdict: GateVerdict, why: str, *, passed: bool = False) -> GateVerdict:
    """Return a verdict as one that nobody could come to."""
    return GateVerdict(
        gate=verdict.gate,
        passed=passed,
        judged=False,
        value=None,
        output=verdict.output,
        remark=why,
    )


def judge_faults(measures: Iterable[Measure]) -> Iterator[GateVerdict]:
    """Fail, once an output, what is broken on the candidate's side, whether a gate asks or not."""
    told: set[str] = set()
    for measure in measures:
        if measure.broken and measure.output not in told:
            told.add(measure.output)
            yield GateVerdict(
                gate=FAULTS,
                passed=False,
                value=None,
                output=measure.output,
                remark=measure.remark,
            )
