"""Find the range of every tensor that quantization needs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.calib import Calibrator
from trtbuild.core.errors import StepInputError
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.calib.first_layers import FirstLayer
    from trtbuild.calib.observe import Observer

__all__ = ["Calibrate", "check_count", "choose_workers", "open_observer"]

MOST_WORKERS = 16


class Calibrate(Step):
    """Run the model over the calibration data and reduce each tensor to a range."""

    version: ClassVar[int] = 3
    outputs: ClassVar[Mapping[str, str]] = {"ranges": "ranges.json"}

    kind: Literal["calibrate"] = "calibrate"
    model: Ref
    data: DataInput
    calibrator: Calibrator
    overrides: dict[str, Calibrator] = {}
    """Tensor name or pattern → the calibrator that it gets instead."""
    everything: bool = False
    """Find a range for every tensor, as implicit quantization wants, not only for those that Q/DQ
    pairs need."""

    def fact_names(self) -> tuple[str, ...]:
        """ONNX Runtime computes the values, NumPy the search."""
        return ("numpy", "onnxruntime")

    def run(self, context: Context) -> None:
        """Write ranges.json: Ranges, sorted by name.

        Raises:
            StepInputError: the model cannot be run, a sample does not fit it, a tensor is not
                finite, an override matches nothing, or fewer or more samples came than were
                captured.
        """
        from trtbuild.calib.collect import collect_histograms
        from trtbuild.calib.first_layers import find_doubts
        from trtbuild.calib.histogram import Histogram
        from trtbuild.calib.overrides import assign_calibrators
        from trtbuild.calib.ranges import ranges_from_histograms, remark_on_histograms

        wanted = self.data.read_manifest(context).count
        observer, firsts = open_observer(context.path(self.model), everything=self.everything)
        observer.feeder.demand_whole_batches(wanted)
        calibrators = assign_calibrators(observer.tensors, self.calibrator, self.overrides)
        counted = {layer.tensor for layer in firsts}
        histograms = {
            name: Histogram(counted=one.counts or name in counted)
            for name, one in calibrators.items()
        }
        samples = collect_histograms(
            observer,
            observer.feeder.feeds(self.data.samples(context)),
            histograms,
            workers=min(choose_workers(context), wanted),
            progress=lambda done: context.events.progress(done, wanted, "samples"),
        )
        check_count(samples, wanted)
        for remark in (*find_doubts(firsts, histograms), *remark_on_histograms(histograms)):
            context.events.note(remark)
        ranges = ranges_from_histograms(
            histograms, calibrators, samples=samples, workers=choose_workers(context)
        )
        self.write(context, "ranges", ranges)


def open_observer(path: Path, *, everything: bool) -> tuple[Observer, list[FirstLayer]]:
    """Open a model to observe the tensors that need a range, or all; and read its first layers.

    Raises:
        StepInputError: it is no ONNX model, or ONNX Runtime cannot run it.
    """
    from trtbuild.calib.first_layers import find_first_layers
    from trtbuild.calib.observe import Observer
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.quant.placing.policy import list_candidates, list_floating

    model = load_bare(path)
    firsts = find_first_layers(model, folder=path.parent)  # the observer empties the model
    tensors = list_floating(model) if everything else list_candidates(model)
    return Observer(model, tensors, folder=path.parent), firsts


def choose_workers(context: Context) -> int:
    """Return how many samples are computed at a time: each holds its activations in memory."""
    return min(context.threads or len(os.sched_getaffinity(0)), MOST_WORKERS)


def check_count(samples: int, wanted: int) -> None:
    """Refuse a calibration on fewer or more samples than were captured.

    Raises:
        StepInputError: the two differ.
    """
    if samples != wanted:
        raise StepInputError(
            f"calibration consumed {samples} samples; {wanted} were captured",
            hint="the data changed while it was read; run again",
        )
