"""Compare an engine with the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.measure.gates import Gate
from trtbuild.measure.metrics import Metric
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.compare import compare_outputs
from trtbuild.steps.infer_engine import EngineRunner
from trtbuild.steps.measuring import Measuring, MeasuringStep

__all__ = ["CompareEngine"]


class CompareEngine(MeasuringStep, Step):
    """Measure an engine's outputs against the reference's, and judge the same gates."""

    version: ClassVar[int] = 6
    outputs: ClassVar[Mapping[str, str]] = {"comparison": "comparison.json"}

    kind: Literal["compare_engine"] = "compare_engine"
    target: str
    reference: Ref
    candidate: Ref
    reference_model: Ref
    """The model that made the reference's outputs: what it is called is read from it."""
    reference_name: str = ""
    """What it is called beside the type of its numbers."""
    runner: Ref
    """What ran the engine."""
    data: DataInput
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...] = ()
    more: Measuring = Measuring()
    """What is measured beside plain metrics."""

    def run(self, context: Context) -> None:
        """Write comparison.json (core.comparison.Comparison).

        Raises:
            StepInputError: the outputs are not of the samples that the data holds.
            CorruptObject: a file of outputs is torn.
        """
        comparison = compare_outputs(
            self,
            context,
            # The engine's runner is not the reference's: each says its own.
            reference_runner=context.runner,
            candidate=f"engine of {self.target}",
            runner=context.read(self.runner, EngineRunner).runner,
        )
        self.write(context, "comparison", comparison)
