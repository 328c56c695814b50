"""Find the range of every tensor that quantization needs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from trtbuild.calib.kinds import Calibrator
from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import INFERENCE_BATCH, INFERENCE_DEVICE, Needs, count_machine_bytes
from trtbuild.steps.base import Context, Events, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.calib.first_layers import FirstLayer
    from trtbuild.calib.histogram import Histogram
    from trtbuild.calib.limit_search import LimitChoice
    from trtbuild.calib.observe import Observer
    from trtbuild.model.feeds import Feed, Feeder

__all__ = ["SHARE", "Calibrate", "check_count", "choose_workers", "count_processes"]

MOST_WORKERS = 16
SHARE = "share/"
"""What inputs are called that other machines have counted."""
ALL = slice(0, None, 1)
FEW = 100
"""Samples below which a reader is told their number."""


class _Seen(NamedTuple):
    """What the calibration data showed."""

    samples: int
    peaks: dict[str, tuple[float, ...]]
    firsts: list[FirstLayer]
    calibrators: dict[str, Calibrator]
    histograms: dict[str, Histogram]
    broken: frozenset[int] = frozenset()
    """The numbers of the samples that were left out."""


class Calibrate(Step):
    """Run the model over the calibration data and reduce each tensor to a range."""

    version: ClassVar[int] = 14
    outputs: ClassVar[Mapping[str, str]] = {
        "ranges": "ranges.json",
        "tails": "tails.json",
        "histograms": "histograms.json",
    }

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
        return ("numpy", "onnxruntime", INFERENCE_DEVICE, INFERENCE_BATCH)

    def needs(self) -> Needs:
        """Run the model."""
        return Needs(inference=True)

    def run(self, context: Context) -> None:
        """Write ranges, what narrower ones cut off, and how the values are spread; sorted by name.

        Raises:
            StepInputError: the model cannot be run, a sample does not fit it, a tensor is not
                finite, an override matches nothing, or fewer or more samples came than were
                captured.
        """
        from trtbuild.calib.broken_samples import find_lost_inputs
        from trtbuild.calib.coarse import make_coarse
        from trtbuild.calib.first_layers import find_doubts
        from trtbuild.calib.ranges import ranges_from_histograms, remark_on_histograms
        from trtbuild.calib.tails import make_tails

        shares = [path for name, path in sorted(context.inputs.items()) if name.startswith(SHARE)]
        seen = self._gather(context, shares) if shares else self._collect(context)
        for doubt in find_doubts(seen.firsts, seen.histograms):
            context.events.warn(doubt)
        for remark in remark_on_histograms(seen.histograms):
            context.events.note(remark)
        _judge_count(seen.samples, context.events)
        ranges = ranges_from_histograms(
            seen.histograms,
            seen.calibrators,
            samples=seen.samples,
            workers=choose_workers(context),
            judged=self._judge(context, seen),
        )
        for warning in find_lost_inputs(seen.peaks, seen.histograms, ranges.tensors):
            context.events.warn(warning)
        self.write(context, "ranges", ranges)
        self.write(context, "tails", make_tails(seen.histograms), indent=0)
        self.write(context, "histograms", make_coarse(seen.histograms), indent=0)

    def count(
        self, context: Context, *, share: int, shares: int
    ) -> tuple[int, dict[str, Histogram]]:
        """Run the model over every `shares`-th feed; return how many samples that were, and counts.

        Of data with broken samples nothing is shared out: see `can_be_shared`.
        """
        seen = self._collect(context, slice(share, None, shares))
        return seen.samples, seen.histograms

    def can_be_shared(self, context: Context) -> bool:
        """Tell whether machines may share the feeds out: no sample is odd beside the others."""
        from trtbuild.calib.broken_samples import find_broken_samples

        return not find_broken_samples(self.data.read_manifest(context).peaks)

    def _gather(self, context: Context, shares: Sequence[Path]) -> _Seen:
        """Take what machines have counted of their shares."""
        from trtbuild.calib.first_layers import find_first_layers
        from trtbuild.calib.overrides import assign_calibrators
        from trtbuild.model.onnx_file import load_bare
        from trtbuild.steps.count_values import read_shares

        manifest, path = self.data.read_manifest(context), context.path(self.model)
        samples, histograms = read_shares(shares)
        check_count(samples, manifest.count)
        calibrators = assign_calibrators([*histograms], self.calibrator, self.overrides)
        firsts = find_first_layers(load_bare(path), folder=path.parent)
        return _Seen(samples, manifest.peaks, firsts, calibrators, histograms)

    def _collect(self, context: Context, part: slice = ALL) -> _Seen:
        """Run the model over the samples, in a pool that starts while the model is opened."""
        from trtbuild.calib.broken_samples import find_broken_samples
        from trtbuild.calib.broken_within import collect_sound_within
        from trtbuild.calib.collect import make_pool
        from trtbuild.calib.overrides import assign_calibrators

        manifest, path = self.data.read_manifest(context), context.path(self.model)
        wanted = manifest.count
        with (
            make_pool(count_processes(context, path, wanted)) as pool,
            self._opened(path, context) as (observer, feeder, firsts),
        ):
            feeder.demand_whole_batches(wanted)
            calibrators = assign_calibrators(observer.tensors, self.calibrator, self.overrides)
            counted = {layer.tensor for layer in firsts} | set(manifest.peaks)
            leave = self._leaves_pictures(observer, context)

            def feeds() -> Iterator[Feed]:
                taken = feeder.feeds(self.data.samples(context, leave=leave))
                return islice(taken, part.start, None, part.step)

            found = collect_sound_within(
                observer,
                feeds,
                {name: one.counts or name in counted for name, one in calibrators.items()},
                find_broken_samples(manifest.peaks),
                whole=[name for name, one in calibrators.items() if not one.counts],
                pool=pool,
                progress=lambda done: context.events.progress(done, wanted, "samples"),
                note=context.events.note,
            )
        if part == ALL:
            check_count(found.samples, wanted)
        for warning in found.warnings:
            context.events.warn(warning)
        # What was said of broken samples need not be said again.
        peaks = {} if found.warnings else manifest.peaks
        samples = found.samples - found.left_out
        return _Seen(samples, peaks, firsts, calibrators, found.histograms, found.broken)

    def _leaves_pictures(self, observer: Observer, context: Context) -> bool:
        """Tell whether the GPU makes pictures ready; say so of those that it does not."""
        if observer.work is None or not hasattr(self.data.source, "preprocess"):
            return False
        if self.data.leaves_pictures(context) and observer.exposed.axes:
            return True
        context.events.note("pictures were scaled and normalized on the CPU, and not on the GPU")
        return False

    def _judge(self, context: Context, seen: _Seen) -> Mapping[str, LimitChoice]:
        """Return the limits that do best where `auto` chooses; none where histograms must."""
        from trtbuild.calib.judge import NothingToJudge
        from trtbuild.model.half_twin import load_runnable
        from trtbuild.model.signature import describe_tensor, list_inputs
        from trtbuild.steps.judged_limits import (
            choose_judging,
            choose_repeats,
            search_judged,
            spread_feeds,
        )

        manifest = self.data.read_manifest(context)
        count = choose_judging(seen.calibrators, seen.histograms, seen.samples)
        if not count:
            return {}
        path, bare = load_runnable(context.path(self.model), context.out.parent / "twin")
        inputs = tuple(map(describe_tensor, list_inputs(bare.graph)))
        feeder = self.data.make_feeder(inputs, context)
        feeds = spread_feeds(
            feeder.feeds(self.data.samples(context)),
            count,
            manifest.count,
            seen.broken,
        )
        try:
            found = search_judged(
                path,
                feeds,
                seen.calibrators,
                seen.histograms,
                folder=context.out.parent / "judged",
                # A GPU computes one run after the other.
                workers=2 if context.inference_device else choose_workers(context),
                providers=context.providers,
                repeats=choose_repeats(seen.histograms, seen.samples, count),
            )
        except (NothingToJudge, StepInputError) as error:
            told = str(error) or "no output holds floats that tell anything"
            context.events.note(f"auto could not be judged, histograms decide: {told}")
            return {}
        context.events.note(found.describe())
        return found.choices

    @contextlib.contextmanager
    def _opened(
        self, path: Path, context: Context
    ) -> Iterator[tuple[Observer, Feeder, list[FirstLayer]]]:
        """Open the model to observe the tensors that need a range, and read its first layers."""
        from trtbuild.calib.first_layers import find_first_layers
        from trtbuild.calib.observe import observing
        from trtbuild.model.half_twin import load_runnable
        from trtbuild.model.onnx_file import load_bare
        from trtbuild.quant.placing.policy import list_floating, list_observed

        model = load_bare(path)
        firsts = find_first_layers(model, folder=path.parent)
        tensors = list_floating(model) if self.everything else list_observed(model)
        path, model = load_runnable(path, context.out.parent / "twin")
        opening = observing(
            model,
            tensors,
            folder=path.parent,
            below=context.out.parent,
            feeder_for=lambda inputs: self.data.make_feeder(inputs, context),
            providers=context.providers,
            batch=context.inference_batch,
        )
        del model  # with its weights
        with opening as (observer, feeder):
            yield observer, feeder, firsts


def _judge_count(samples: int, events: Events) -> None:
    """Say that a calibration has seen few samples; one alone is hardly any."""
    hint = "ranges of activations are usually found on 100 to 1000"
    if samples == 1:
        events.warn(f"calibrated on 1 sample: what others hold is not known (hint: {hint})")
    elif samples < FEW:
        events.note(f"calibrated on {samples} samples: {hint}")


def choose_workers(context: Context) -> int:
    """Return how many samples are computed at a time: each holds its activations in memory."""
    bound = hasattr(os, "sched_getaffinity")  # on Linux, to fewer than there are
    free = len(os.sched_getaffinity(0)) if bound else os.cpu_count() or 1
    return min(context.threads or free, MOST_WORKERS)


def count_processes(context: Context, model: Path, samples: int) -> int:
    """Return how many processes share the samples out; one where a GPU computes them.

    Each arranges the weights in the model's file for itself: all but the first may have half of
    the machine's memory for that.
    """
    if context.inference_device:
        return 1
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
