"""Find the range of every tensor that quantization needs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from trtbuild.calib.kinds import Calibrator
from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import count_machine_bytes
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.calib.first_layers import FirstLayer
    from trtbuild.calib.histogram import Histogram
    from trtbuild.calib.observe import Observer
    from trtbuild.model.feeds import Feeder

__all__ = ["Calibrate", "check_count", "choose_workers", "count_processes"]

MOST_WORKERS = 16


class _Seen(NamedTuple):
    """What the calibration data showed."""

    samples: int
    firsts: list[FirstLayer]
    calibrators: dict[str, Calibrator]
    histograms: dict[str, Histogram]


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
        from trtbuild.calib.first_layers import find_doubts
        from trtbuild.calib.ranges import ranges_from_histograms, remark_on_histograms

        seen = self._collect(context)
        for remark in (
            *find_doubts(seen.firsts, seen.histograms),
            *remark_on_histograms(seen.histograms),
        ):
            context.events.note(remark)
        ranges = ranges_from_histograms(
            seen.histograms,
            seen.calibrators,
            samples=seen.samples,
            workers=choose_workers(context),
        )
        self.write(context, "ranges", ranges)

    def _collect(self, context: Context) -> _Seen:
        """Run the model over all samples, in a pool that starts while the model is opened."""
        from trtbuild.calib.collect import collect_histograms, make_pool
        from trtbuild.calib.histogram import Histogram
        from trtbuild.calib.overrides import assign_calibrators

        wanted = self.data.read_manifest(context).count
        path = context.path(self.model)
        with (
            make_pool(count_processes(context, path, wanted)) as pool,
            self._opened(path, context) as (observer, feeder, firsts),
        ):
            feeder.demand_whole_batches(wanted)
            calibrators = assign_calibrators(observer.tensors, self.calibrator, self.overrides)
            counted = {layer.tensor for layer in firsts}
            histograms = {
                name: Histogram(counted=one.counts or name in counted)
                for name, one in calibrators.items()
            }
            samples = collect_histograms(
                observer,
                feeder.feeds(self.data.samples(context)),
                histograms,
                pool=pool,
                progress=lambda done: context.events.progress(done, wanted, "samples"),
            )
        check_count(samples, wanted)
        return _Seen(samples, firsts, calibrators, histograms)

    @contextlib.contextmanager
    def _opened(
        self, path: Path, context: Context
    ) -> Iterator[tuple[Observer, Feeder, list[FirstLayer]]]:
        """Open the model to observe the tensors that need a range, and read its first layers."""
        from trtbuild.calib.first_layers import find_first_layers
        from trtbuild.calib.observe import observing
        from trtbuild.model.onnx_file import load_bare
        from trtbuild.quant.placing.policy import list_candidates, list_floating

        model = load_bare(path)
        firsts = find_first_layers(model, folder=path.parent)
        tensors = list_floating(model) if self.everything else list_candidates(model)
        opening = observing(
            model,
            tensors,
            folder=path.parent,
            below=context.out.parent,
            feeder_for=lambda inputs: self.data.make_feeder(inputs, context),
        )
        del model  # with its weights
        with opening as (observer, feeder):
            yield observer, feeder, firsts


def choose_workers(context: Context) -> int:
    """Return how many samples are computed at a time: each holds its activations in memory."""
    bound = hasattr(os, "sched_getaffinity")  # on Linux, to fewer than there are
    free = len(os.sched_getaffinity(0)) if bound else os.cpu_count() or 1
    return min(context.threads or free, MOST_WORKERS)


def count_processes(context: Context, model: Path, samples: int) -> int:
    """Return how many processes share the samples out.

    Each arranges the weights in the model's file for itself: all but the first may have half of
    the machine's memory for that.
    """
    fitting = count_machine_bytes() // 2 // max(1, model.stat().st_size)
    return min(choose_workers(context), samples, 1 + fitting)


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
