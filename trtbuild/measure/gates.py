"""Gates: pass or fail rules on a metric."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo

from trtbuild.core.options import Options, Share
from trtbuild.measure.metrics import Metric, find_row

if TYPE_CHECKING:
    from trtbuild.core.comparison import GateVerdict, Measure

__all__ = ["Bound", "Gate", "explain_bound", "explain_drop", "judge_gates"]


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

MetricName = Annotated[
    str,
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [{"enum": list(get_args(Metric))}, {"type": "string", "minLength": 1}],
            "description": "A metric, or a figure of one of those under `metrics`.",
        }
    ),
]
LEAST_SURE, MOST_SURE = 0.5, 0.995
"""Confidences that a thousand resamples can tell."""


class _Judged(Protocol):
    """What is known of a figure that a gate may name."""

    @property
    def unit(self) -> str:
        """`share`, `dB`, or none."""

    @property
    def better(self) -> str:
        """Which end is the better one: `high` or `low`."""

    @property
    def own(self) -> bool:
        """Whether each side has a value of its own."""


def explain_bound(name: str, figure: _Judged, value: float) -> str:
    """Say why a bound is none of a figure; nothing where it may be."""
    if figure.unit == "share" and not 0 <= value <= 1:
        example = f"{value:g}%" if 1 < value <= 100 else "99%"  # noqa: PLR2004
        return f"{name} is a share from 0 to 1; write {example}"
    if name == "cosine" and not -1 <= value <= 1:
        return "a cosine lies between -1 and 1"
    return ""


def explain_drop(name: str, figure: _Judged, value: float, *, of_lock: bool = False) -> str:
    """Say why a figure cannot drop so far; nothing where it can."""
    if not figure.own and not of_lock:
        other = "at_least" if figure.better == "high" else "at_most"
        return f"{name} has no value for the reference alone to drop from; use {other}"
    if figure.unit == "share" and not 0 <= value < 1:
        example = f"{value:g}%" if 1 <= value <= 100 else "1%"  # noqa: PLR2004
        return f"a drop is a share from 0 to 1, or in percent; write {example}"
    return "" if value >= 0 else "a drop is 0 or more; write how far it may fall"


class Gate(Options):
    """A rule on one metric: at least, at most, or how far the candidate may drop."""

    metric: MetricName
    """What is judged: a metric, which is measured even where `metrics` does not list it, or a
    figure of a metric with options that it does list."""
    output: str | None = None
    """The model output, or part of one, that is judged; without it, every one that the metric
    fits."""
    at_least: Bound | None = None
    """The lowest value that passes: dB for `sqnr_db`, a share (99%) for the top-1 and top-5."""
    at_most: Bound | None = None
    """The highest value that passes, in the metric's unit; meant for `max_abs`."""
    drop_at_most: Share | None = None
    """How much worse what is built may be than the reference: of a share, 1% is one point. For what
    is measured by labels, so that both have a value: figures such as `balanced_accuracy`, `top1`
    and `top5`."""
    drop_from_lock_at_most: Share | None = None
    """How much worse what is built may be than the lock says that it was, for any metric. Without a
    lock this is not judged, which is said, and stands in the way of nothing."""
    confidence: Share | None = None
    """Judge the worse end of the interval of this confidence (95%) instead of the value, so that
    the gate passes only where the samples prove it."""

    @field_validator("at_least", "at_most")
    @classmethod
    def _is_within_reach(cls, value: float | None, info: ValidationInfo) -> float | None:
        metric = info.data.get("metric", "")
        row = find_row(metric)
        if value is not None and row is not None and (why := explain_bound(metric, row, value)):
            raise ValueError(why)
        return value

    @field_validator("drop_at_most", "drop_from_lock_at_most")
    @classmethod
    def _can_drop(cls, value: float | None, info: ValidationInfo) -> float | None:
        metric = info.data.get("metric", "")
        row = find_row(metric)
        if value is None or row is None:
            return value
        of_lock = info.field_name == "drop_from_lock_at_most"
        if why := explain_drop(metric, row, value, of_lock=of_lock):
            raise ValueError(why)
        return value

    @field_validator("confidence")
    @classmethod
    def _is_sure(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and not LEAST_SURE <= value <= MOST_SURE:
            raise ValueError("a confidence lies between 50% and 99.5%; write 95%")
        row = find_row(info.data.get("metric", ""))
        if value is not None and row is not None and not row.interval:
            raise ValueError(
                f"{info.data['metric']} has no interval: samples do not tell how large a largest "
                "value may get; remove it"
            )
        return value

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        rules = (self.at_least, self.at_most, self.drop_at_most, self.drop_from_lock_at_most)
        if all(rule is None for rule in rules):
            raise ValueError("a gate needs at_least, at_most or drop_at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is above at_most: nothing could pass")
        return self

    def judge(
        self, measures: "Iterable[Measure]", *, samples: int = 0, unjudged: str = ""
    ) -> "tuple[GateVerdict, ...]":
        """Judge each rule but that on the lock, on each output that the gate means.

        A value that is missing fails and its verdict says why; `identical` passes `at_least`.
        `unjudged` says why nothing can be held against the reference: only bounds on what has a
        value of its own, the labelled metrics, are judged then. `samples` is how many there are.
        """
        judged = self.choose(measures)
        return tuple(v for measure in judged for v in self._verdicts(measure, samples, unjudged))

    def choose(self, measures: "Iterable[Measure]") -> "list[Measure]":
        """Return the measures that the gate means; where there is none, a blank that says why."""
        mine = [measure for measure in measures if measure.metric == self.metric]
        judged = [
            measure
            for measure in mine
            if (
                measure.applies and not measure.part_of
                if self.output is None
                else measure.output == self.output
            )
        ]
        if judged:
            return judged
        from trtbuild.core.comparison import Measure

        why = self._nothing_to_judge(mine)
        blank = Measure(metric=self.metric, output=self.output or "", value=None, remark=why)
        row = find_row(self.metric)
        known = {} if row is None else {"own": row.own, "unit": row.unit}
        return [blank.model_copy(update=known)]

    def _verdicts(self, measure: "Measure", samples: int, unjudged: str) -> "Iterator[GateVerdict]":
        from trtbuild.measure.verdicts import judge_drop, leave_unjudged

        own = measure.own  # a value of the candidate's alone
        for verdict in self._bounds(measure, samples):
            yield verdict if own or not unjudged else leave_unjudged(verdict, unjudged)
        if self.drop_at_most is not None:
            verdict = judge_drop(measure, self.drop_at_most, self.confidence, samples)
            yield leave_unjudged(verdict, unjudged) if unjudged else verdict

    def _bounds(self, measure: "Measure", samples: int) -> "Iterator[GateVerdict]":
        from trtbuild.measure.verdicts import judge_at_least, judge_at_most

        if self.at_least is not None:
            yield judge_at_least(measure, self.at_least, self.confidence, samples)
        if self.at_most is not None:
            yield judge_at_most(measure, self.at_most, self.confidence, samples)

    def _nothing_to_judge(self, mine: "list[Measure]") -> str:
        if not mine:
            return f"{self.metric} was not measured"
        if self.output is not None:
            outputs = ", ".join(measure.output for measure in mine if measure.output)
            if not outputs:
                return f"{self.metric} is of the whole model, not of one output"
            return f"no output `{self.output}` was compared; those that were: {outputs}"
        return "; ".join(
            f"{measure.output}: {measure.remark}" if len(mine) > 1 else measure.remark
            for measure in mine
        )


def judge_gates(
    gates: Iterable[Gate], measures: "tuple[Measure, ...]", *, samples: int, unjudged: str = ""
) -> "tuple[GateVerdict, ...]":
    """Judge every gate, and what fails whatever they ask."""
    from trtbuild.measure.verdicts import judge_faults

    asked = (
        each for gate in gates for each in gate.judge(measures, samples=samples, unjudged=unjudged)
    )
    return (*judge_faults(measures), *asked)
