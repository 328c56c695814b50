"""Measure how large the values of every tensor are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.calib.observe import observing
from trtbuild.calib.peaks import measure_peaks
from trtbuild.model.half_twin import load_runnable
from trtbuild.model.onnx_file import load_bare
from trtbuild.quant.half.convert import Peaks
from trtbuild.quant.placing.policy import list_floating
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.calibrate import check_count
from trtbuild.steps.capture_data import DataInput

__all__ = ["MeasurePeaks"]


class MeasurePeaks(Step):
    """Run the model over the calibration data and keep each tensor's largest absolute value."""

    version: ClassVar[int] = 3
    outputs: ClassVar[Mapping[str, str]] = {"peaks": "peaks.json"}

    kind: Literal["measure_peaks"] = "measure_peaks"
    model: Ref
    data: DataInput

    def fact_names(self) -> tuple[str, ...]:
        """ONNX Runtime computes the values."""
        return ("numpy", "onnxruntime")

    def run(self, context: Context) -> None:
        """Write peaks.json: Peaks, sorted by name.

        Raises:
            StepInputError: the model cannot be run, a sample does not fit it, or fewer or more
                samples came than were captured.
        """
        wanted = self.data.read_manifest(context).count
        path = context.path(self.model)
        model = load_bare(path)
        tensors = list_floating(model)
        path, model = load_runnable(path, context.out.parent / "twin")
        opening = observing(
            model,
            tensors,
            folder=path.parent,
            below=context.out.parent,
            feeder_for=lambda inputs: self.data.make_feeder(inputs, context),
        )
        del model  # with its weights
        with opening as (observer, feeder):
            feeder.demand_whole_batches(wanted)
            found, samples = measure_peaks(
                observer,
                feeder.feeds(self.data.samples(context)),
                progress=lambda done: context.events.progress(done, wanted, "samples"),
            )
        check_count(samples, wanted)
        self.write(context, "peaks", Peaks(tensors=dict(sorted(found.items()))), indent=1)
