"""Find the range of every tensor that quantization needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.calib import Calibrator
from trtbuild.calib.collect import collect
from trtbuild.calib.feeds import Sampled, feeds_from_samples
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import Observer
from trtbuild.calib.ranges import ranges_from_histograms, remarks
from trtbuild.core.errors import StepInputError
from trtbuild.quant.policy import candidates
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    import onnx

__all__ = ["Calibrate", "histograms_from_samples"]

MOST_WORKERS = 16


class Calibrate(Step):
    """Run the model over the calibration data and reduce each tensor to a range."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"ranges": "ranges.json"}

    kind: Literal["calibrate"] = "calibrate"
    model: Ref
    data: DataInput
    calibrator: Calibrator

    def fact_names(self) -> tuple[str, ...]:
        """ONNX Runtime computes the values, NumPy the search."""
        return ("numpy", "onnxruntime")

    def run(self, context: Context) -> None:
        """Write ranges.json: Ranges, sorted by name.

        Raises:
            StepInputError: the model cannot be run, a sample does not fit it, a tensor is not
                finite, or fewer or more samples came than were captured.
        """
        wanted = self.data.manifest_of(context).count
        histograms, samples = histograms_from_samples(
            context.path(self.model),
            self.data.samples(context),
            counted=self.calibrator.counts,
            workers=workers_of(context),
            progress=lambda done: context.events.progress(done, wanted, "samples"),
        )
        if samples != wanted:
            raise StepInputError(
                f"calibration consumed {samples} samples; {wanted} were captured",
                hint="the data changed while it was read; run again",
            )
        for remark in remarks(histograms):
            context.events.note(remark)
        ranges = ranges_from_histograms(histograms, self.calibrator, workers=workers_of(context))
        self.out(context, "ranges").write_text(ranges.model_dump_json(indent=2) + "\n")


def workers_of(context: Context) -> int:
    """Return how many samples are computed at a time: each holds its activations in memory."""
    return min(context.threads or len(os.sched_getaffinity(0)), MOST_WORKERS)


def histograms_from_samples(
    path: Path,
    samples: Iterable[Sampled],
    *,
    counted: bool,
    workers: int,
    progress: Callable[[int], None],
) -> tuple[dict[str, Histogram], int]:
    """Run a model over the samples: a histogram for each tensor that may need a range.

    Returns them, and how many samples were consumed.
    """
    model = _load(path)
    observer = Observer(model, candidates(model), folder=path.parent)
    histograms = {name: Histogram(counted=counted) for name in observer.tensors}
    feeds = feeds_from_samples(samples, observer.inputs, batch=observer.batch)
    return histograms, collect(observer, feeds, histograms, workers=workers, progress=progress)


def _load(path: Path) -> onnx.ModelProto:
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        return onnx.load(path, load_external_data=False)
    except (OSError, DecodeError) as error:
        raise StepInputError(f"{path.name} is not an ONNX model: {error}") from error
