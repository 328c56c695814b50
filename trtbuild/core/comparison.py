"""Measure, GateVerdict, Comparison: how a candidate's outputs compare with the reference's."""

from typing import Literal

from trtbuild.core.options import Options
from trtbuild.core.words import Unit

__all__ = ["CONFIDENCE", "Comparison", "GateVerdict", "Interval", "Measure", "UnrunEngine"]

CONFIDENCE = 0.95
"""Of the interval that is shown with every figure."""

Ends = tuple[float, float]
"""The low end of an interval, and the high one."""


class Interval(Options):
    """Where the numbers of a measure lie with a confidence, could all such samples be seen."""

    confidence: float
    method: Literal["bootstrap", "score"]
    """Percentiles of seeded resamples, or what is standard for shares of samples: the score
    intervals of Wilson (a share) and Tango (a paired difference)."""
    value: Ends
    reference: Ends | None = None
    drop: Ends | None = None
    """Of what the drop is, both sides resampled alike: not the difference of the other two."""


class Measure(Options):
    """One metric of one output (or of the whole model: output is empty)."""

    metric: str
    output: str
    value: float | None
    """None where it cannot be computed, and where `identical`; `remark` then says why."""
    remark: str = ""
    doubt: str = ""
    """Why the number cannot mean what it seems to; stands beside it wherever it is shown."""
    unit: Unit = ""
    """A share is in 0..1 and shown in percent."""
    better: Literal["high", "low"] = "high"
    """Which end is the better one."""
    own: bool = False
    """Whether each side has a value of its own, by labels: then there is a drop."""
    intervals: tuple[Interval, ...] = ()
    """How sure it is: the usual interval first, then those that gates ask for."""
    reference: float | None = None
    """The reference's own value where it has one (top-1); see `drop`."""
    worst: float | None = None
    """The value of the sample that fares worst, where the metric has a value for each sample."""
    worst_sample: int | None = None
    """Which sample that is, counted from 0."""
    identical: bool = False
    """The two are equal where the value would then be infinite: passes any `at_least`."""
    right: str = ""
    """Of a share of samples, which are right: a bit each, the first the highest, as hexadecimal."""
    meaning: str = ""
    """Of a figure of a metric with options: what it says, in a sentence."""
    applies: bool = True
    """False where the metric says nothing about such an output (top-1 of a single number)."""
    broken: bool = False
    """The candidate's side is NaN, of another shape or not there, where the reference's has values:
    a failure, whatever the gates ask."""
    part_of: str = ""
    """The output of which this is a part that nobody asked for: no gate judges it."""

    @property
    def drop(self) -> float | None:
        """By how much the candidate is worse than the reference; negative where it is better."""
        if self.value is None or self.reference is None:
            return None
        fall = self.reference - self.value
        return fall if self.better == "high" else -fall

    def find_interval(self, confidence: float) -> Interval | None:
        """Return the interval of a confidence, if there is one."""
        return next((each for each in self.intervals if each.confidence == confidence), None)


class GateVerdict(Options):
    """One gate, judged."""

    gate: str
    """The rule in words: `sqnr_db ≥ 20`."""
    passed: bool
    judged: bool = True
    """False where there is nothing to hold the value against; `remark` then says why. Such a gate
    has not passed, but for one on the lock where there is no lock yet."""
    value: float | None
    """What the rule looked at, in the metric's unit; of a drop, by how much it got worse."""
    output: str = ""
    found: str = ""
    """The value in words, precise enough to show on which side of the rule it lies."""
    interval: str = ""
    """Where it lies, in words, with the confidence: `36.9 to 37.4 dB (95 %)`."""
    remark: str = ""
    """Why a value is missing."""
    missed_by: str = ""
    """Of a gate that failed: by how much, in words."""
    doubt: str = ""
    """Why the verdict says little: too few samples for the rule, say."""


class Comparison(Options):
    """How a candidate's outputs compare with the reference's on the same samples.

    Signal-to-noise takes the reference as the signal.
    """

    reference: str
    """What it is, in words: `FP32 model`, `source as it came: INT8 Q/DQ`."""
    reference_type: str = "FP32"
    """The type of its numbers, for the head of a column: `FP32`, `FP16`, `INT8 Q/DQ`."""
    candidate: str
    runner: str
    """What ran them: numbers from ONNX Runtime are not an engine's, and say so."""
    samples: int
    data: str = ""
    """The digest of what the samples are; equal digests can be compared sample by sample."""
    labelled: bool
    measures: tuple[Measure, ...]
    verdicts: tuple[GateVerdict, ...]
    caveats: tuple[str, ...] = ()


class UnrunEngine(Comparison):
    """Of an engine that was to be compared and did not run: it has no figures, and says why."""

    not_run: str
    """Why: what TensorRT said, with what may help."""
    target: str
    step: str
    """The one that failed."""
