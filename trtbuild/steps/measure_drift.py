"""Measure how far new weights move the values that ranges were found for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.drift import Drift, TensorDrift
from trtbuild.core.values import Ranges
from trtbuild.steps.base import Context, Pinned, Ref, Step
from trtbuild.steps.capture_data import DataInput

__all__ = ["MeasureDrift"]


class MeasureDrift(Step):
    """Run the float models of before and of now over a few samples; hold values to each other."""

    outputs: ClassVar[Mapping[str, str]] = {"drift": "drift.json"}

    kind: Literal["measure_drift"] = "measure_drift"
    before: Pinned
    """The float model that the ranges were found for."""
    after: Ref
    """The one with other weights."""
    ranges: Ref
    data: DataInput
    samples: Annotated[int, Field(ge=1)]
    """How many are run, spread evenly over the data; all where it holds no more."""

    def fact_names(self) -> tuple[str, ...]:
        """ONNX Runtime computes the values."""
        return ("numpy", "onnxruntime")

    def run(self, context: Context) -> None:
        """Write drift.json: the tensors that have a range and are in both models, by name.

        Raises:
            StepInputError: a model cannot be run, or a sample does not fit it.
        """
        table = context.read(self.ranges, Ranges).tensors
        before, samples = self._measure(context, context.path(self.before), "before")
        after, _ = self._measure(context, context.path(self.after), "after")
        found = Drift(
            samples=samples,
            tensors=tuple(
                TensorDrift(
                    name=name, before=before[name], after=after[name], limit=table[name].limit
                )
                for name in sorted(table)
                if name in before and name in after
            ),
        )
        self.write(context, "drift", found, indent=1)

    def _measure(self, context: Context, path: Path, name: str) -> tuple[dict[str, float], int]:
        """Return the largest absolute value of every float tensor, and the samples consumed."""
        from trtbuild.calib.observe import observing
        from trtbuild.calib.peaks import measure_peaks
        from trtbuild.model.half_twin import load_runnable
        from trtbuild.model.onnx_file import load_bare
        from trtbuild.quant.placing.policy import list_floating
        from trtbuild.steps.judged_limits import spread_feeds

        total = self.data.read_manifest(context).count
        tensors = list_floating(load_bare(path))
        path, model = load_runnable(path, context.out.parent / f"twin-{name}")
        opening = observing(
            model,
            tensors,
            folder=path.parent,
            below=context.out.parent,
            feeder_for=lambda inputs: self.data.make_feeder(inputs, context),
        )
        with opening as (observer, feeder):
            feeds = feeder.feeds(self.data.samples(context))
            count = min(self.samples, total)
            return measure_peaks(
                observer,
                spread_feeds(feeds, count, total, frozenset()),
                progress=lambda done: context.events.progress(done, count, "samples"),
            )
