"""Gates: pass or fail rules on a metric."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, WithJsonSchema, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo

from trtbuild.core import words
from trtbuild.core.options import Options, Share
from trtbuild.core.records import GateVerdict, Measure
from trtbuild.measure.metrics import LABELLED, METRIC_ROWS, Metric

__all__ = ["Bound", "Gate"]

# A drop is a difference of two shares k/n; this is far below 1/n for any n a person has, and
# above the rounding of the subtraction: 0.98 - 0.97 is 0.010000000000000009.
_SLACK = 1e-9


def _bound_from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*%", value.strip())
    if match is None:
        raise ValueError(f"`{value}` is not a bound; write a number (20) or a share (99%)")
    return float(match[1]) / 100


Bound = Annotated[
    float,
    BeforeValidator(_bound_from_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {"type": "string", "pattern": r"^-?\d+(\.\d+)?\s*%$"},
            ],
            "description": "A bound in the metric's own unit: 20, 0.99, or 99% for a share.",
        }
    ),
]
"""A number in the unit of its metric; a share may be written `99%`."""


class Gate(Options):
    """A rule on one metric: at least, at most, or how far the candidate may drop."""

    metric: Metric
    """What is judged; it is measured even where `metrics` does not list it."""
    output: str | None = None
    """The model output that is judged; without it, every output that the metric fits."""
    at_least: Bound | None = None
    """The lowest value that passes: dB for `sqnr_db`, a share (99%) for the top-1 and top-5."""
    at_most: Bound | None = None
    """The highest value that passes, in the metric's unit; meant for `max_abs`."""
    drop_at_most: Share | None = None
    """How far the share may fall from the reference to what is built: 1% is one point. For `top1`
    and `top5`."""

    @field_validator("at_least", "at_most")
    @classmethod
    def _is_within_reach(cls, value: float | None, info: ValidationInfo) -> float | None:
        metric: Metric | None = info.data.get("metric")
        share = metric is not None and METRIC_ROWS[metric].unit == "share"
        if value is not None and share and not 0 <= value <= 1:
            example = f"{value:g}%" if 1 < value <= 100 else "99%"  # noqa: PLR2004
            raise ValueError(f"{metric} is a share from 0 to 1; write {example}")
        if value is not None and metric == "cosine" and not -1 <= value <= 1:
            raise ValueError("a cosine lies between -1 and 1")
        return value

    @field_validator("drop_at_most")
    @classmethod
    def _can_drop(cls, value: float | None, info: ValidationInfo) -> float | None:
        metric = info.data.get("metric")
        if value is None or metric is None:
            return value
        if metric not in LABELLED:
            raise ValueError(
                f"{metric} has no value for the reference alone to drop from; use at_least"
            )
        if not 0 <= value < 1:
            example = f"{value:g}%" if 1 <= value <= 100 else "1%"  # noqa: PLR2004
            raise ValueError(f"a drop is a share from 0 to 1, or in percent; write {example}")
        return value

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        if self.at_least is None and self.at_most is None and self.drop_at_most is None:
            raise ValueError("a gate needs at_least, at_most or drop_at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is above at_most: nothing could pass")
        return self

    def judge(self, measures: Iterable[Measure], *, unjudged: str = "") -> tuple[GateVerdict, ...]:
        """Judge each rule on each output that the gate means.

        A value that is missing fails and its verdict says why; `identical` passes `at_least`.
        `unjudged` says why nothing can be held against the reference: only bounds on what has a
        value of its own, the labelled metrics, are judged then.
        """
        mine = [measure for measure in measures if measure.metric == self.metric]
        judged = [
            measure
            for measure in mine
            if (measure.applies if self.output is None else measure.output == self.output)
        ]
        if not judged:
            why = self._nothing_to_judge(mine)
            blank = Measure(metric=self.metric, output=self.output or "", value=None, remark=why)
            judged = [blank]
        return tuple(v for measure in judged for v in self._verdicts(measure, unjudged))

    def _verdicts(self, measure: Measure, unjudged: str) -> Iterator[GateVerdict]:
        own = self.metric in LABELLED  # a value of the candidate's alone
        for verdict in self._bounds(measure):
            yield verdict if own or not unjudged else _leave(verdict, unjudged)
        if self.drop_at_most is not None:
            verdict = self._drop_verdict(measure, self.drop_at_most)
            yield _leave(verdict, unjudged) if unjudged else verdict

    def _bounds(self, measure: Measure) -> Iterator[GateVerdict]:
        unit = METRIC_ROWS[self.metric].unit
        if self.at_least is not None:
            rule = f"{self.metric} ≥ {words.format_bound(self.at_least, unit)}"
            passed = measure.identical or (
                measure.value is not None and measure.value >= self.at_least
            )
            yield _verdict(rule, measure, passed=passed, limit=self.at_least)
        if self.at_most is not None:
            rule = f"{self.metric} ≤ {words.format_bound(self.at_most, unit)}"
            passed = measure.value is not None and measure.value <= self.at_most
            yield _verdict(rule, measure, passed=passed, limit=self.at_most)

    def _drop_verdict(self, measure: Measure, limit: float) -> GateVerdict:
        points = words.format_bound(limit, "share").removesuffix(" %")
        rule = f"{self.metric} drop ≤ {points} {'point' if points == '1' else 'points'}"
        if measure.value is None or measure.reference is None:
            return _verdict(rule, measure, passed=False, limit=limit)
        fall = measure.reference - measure.value
        return GateVerdict(
            gate=rule,
            passed=fall <= limit + _SLACK,
            value=fall,
            output=measure.output,
            found=words.format_drop(fall, apart=[limit]),
        )

    def _nothing_to_judge(self, mine: list[Measure]) -> str:
        if not mine:
            return f"{self.metric} was not measured"
        if self.output is not None:
            outputs = ", ".join(measure.output for measure in mine)
            return f"no output `{self.output}` was compared; those that were: {outputs}"
        return "; ".join(
            f"{measure.output}: {measure.remark}" if len(mine) > 1 else measure.remark
            for measure in mine
        )


def _leave(verdict: GateVerdict, why: str) -> GateVerdict:
    """Return a verdict as one that nobody could come to."""
    return GateVerdict(
        gate=verdict.gate, passed=False, judged=False, value=None, output=verdict.output, remark=why
    )


def _verdict(rule: str, measure: Measure, *, passed: bool, limit: float) -> GateVerdict:
    if measure.value is None:
        found = "identical" if measure.identical else ""
        remark = "" if measure.identical else measure.remark
    else:
        found, remark = words.format_figure(measure.value, measure.unit, apart=[limit]), ""
    return GateVerdict(
        gate=rule,
        passed=passed,
        value=measure.value,
        output=measure.output,
        found=found,
        remark=remark,
    )
