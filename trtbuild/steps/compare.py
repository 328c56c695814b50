"""Compare FP32 with INT8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.measure.gates import Gate
from trtbuild.measure.metrics import Metric
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

__all__ = ["Compare"]


class Compare(Step):
    """Measure a candidate's outputs against the reference's, and judge the gates."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"comparison": "comparison.json"}

    kind: Literal["compare"] = "compare"
    reference: Ref
    candidate: Ref
    data: DataInput
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...] = ()

    def run(self, context: Context) -> None:
        """Write comparison.json (core.records.Comparison)."""
        raise NotImplementedError
