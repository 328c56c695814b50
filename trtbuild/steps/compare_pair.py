"""Compare two models, or engines, that somebody else made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.measure.gates import Gate
from trtbuild.measure.metrics import Metric
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.compare import compare_outputs, warn_of_samples
from trtbuild.steps.infer_engine import EngineRunner
from trtbuild.steps.measuring import Measuring, MeasuringStep, tell_hidden_parts, tell_unmeasured

__all__ = ["ComparePair"]


class ComparePair(MeasuringStep, Step):
    """Measure one model's outputs against another's, and judge the gates."""

    version: ClassVar[int] = 2
    outputs: ClassVar[Mapping[str, str]] = {"comparison": "comparison.json"}

    kind: Literal["compare_pair"] = "compare_pair"
    reference: Ref
    candidate: Ref
    reference_model: Ref | None = None
    """The model that made the reference's outputs; None where an engine did."""
    reference_name: str
    candidate_name: str
    reference_runner: Ref | None = None
    """What ran the reference, where that is an engine."""
    candidate_runner: Ref | None = None
    """The same of the candidate."""
    data: DataInput
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...] = ()
    more: Measuring = Measuring()
    """What is measured beside plain metrics."""

    def run(self, context: Context) -> None:
        """Write comparison.json (core.comparison.Comparison).

        Which of the two is right was said by whoever asked: a reference of any type will do.

        Raises:
            StepInputError: the outputs are not of the samples that the data holds.
            CorruptObject: a file of outputs is torn.
        """
        runner = _read_runner(self.candidate_runner, context)
        reference_runner = _read_runner(self.reference_runner, context)
        comparison = compare_outputs(
            self,
            context,
            candidate=self.candidate_name,
            runner=runner,
            # Where one thing ran both, it is said once.
            reference_runner="" if reference_runner == runner else reference_runner,
            any_reference=True,
        )
        warn_of_samples(self.data.read_manifest(context), context)
        tell_hidden_parts(comparison.measures, context)
        tell_unmeasured(comparison.measures, context)
        self.write(context, "comparison", comparison)


def _read_runner(runner: Ref | None, context: Context) -> str:
    return context.runner if runner is None else context.read(runner, EngineRunner).runner
