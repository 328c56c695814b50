"""Fill a histogram for each tensor from every sample, on the GPU that the model runs on.

While the GPU computes a run, the samples of the next are stacked, and copied there.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from trtbuild.calib.collect import refuse_values
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.on_gpu.groups import are_alike, choose_batch
from trtbuild.calib.on_gpu.observed import observe_input, observe_output
from trtbuild.calib.on_gpu.reduction import Reduction, Snapshot
from trtbuild.calib.on_gpu.tables import decode_extremes
from trtbuild.core.errors import StepInputError
from trtbuild.core.words import format_size
from trtbuild.model.feeds import Feed
from trtbuild.model.gpu_room import GpuRoom
from trtbuild.model.merging import MOST_BATCH, gather
from trtbuild.model.session import is_out_of_memory

if TYPE_CHECKING:
    from trtbuild.calib.observe import Observer
    from trtbuild.model.cuda_work import CudaWork

__all__ = ["collect_on_gpu"]

SLOTS = 3
"""Runs under way: one computes, one waits for it, and of one the samples are stacked."""
SYNCED_RUNS = 16
"""Of so many runs, one is waited for: only then ONNX Runtime gives back what it has copied from."""
_PAIR = 2


def collect_on_gpu(
    observer: Observer,
    feeds: Iterable[Feed],
    histograms: Mapping[str, Histogram],
    *,
    progress: Callable[[int], None],
    note: Callable[[str], None],
) -> int:
    """Run every feed, several at a time, and add what is observed to the histograms.

    Returns the samples consumed. Tensors are reduced where they are: what comes back is one array
    of counts a tensor, at the end. Where memory does not suffice, a run takes half as many samples.

    Raises:
        StepInputError: a tensor is not finite (names it and the sample), or a feed cannot be run
            even by itself.
    """
    work = observer.work
    assert work is not None  # noqa: S101  # the model runs on a GPU
    with work:
        first = list(itertools.islice(feeds := iter(feeds), 2))
        if not first:
            return 0
        runs = _Runs(observer, work, histograms, note)
        try:
            runs.settle_batch(first)
            consumed = runs.run_all(itertools.chain(first, feeds), progress)
        finally:
            runs.flush(first[0])
        runs.reduction.finish(histograms)
        return consumed


class _Slot:
    """A run under way."""

    def __init__(self, work: CudaWork, tensors: int) -> None:
        self.room = GpuRoom(work)
        self.snapshot = Snapshot(work, tensors)
        self.feeds: list[Feed] = []
        self.event: Any = None


class _Runs:
    """The runs of a model, in the order of the feeds."""

    def __init__(
        self,
        observer: Observer,
        work: CudaWork,
        histograms: Mapping[str, Histogram],
        note: Callable[[str], None],
    ) -> None:
        import onnxruntime as ort

        self._observer = observer
        self._work = work
        self._note = note
        self._axes = {} if observer.exposed.batch == 1 else observer.exposed.axes
        self._most = observer.exposed.batch or MOST_BATCH
        self._session = observer.session.session
        self._names = [*observer.fed, *observer.made]
        self._synced, self._options = ort.RunOptions(), ort.RunOptions()
        # Whoever reads results waits for them: until then the next run is prepared.
        self._options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        self._count = 0
        self.reduction = Reduction(work, {name: histograms[name] for name in self._names})
        self._slots = deque(_Slot(work, len(self._names)) for _ in range(SLOTS))
        self._batch = 1

    def settle_batch(self, first: list[Feed]) -> None:
        """Choose how many samples a run takes, by what one takes and does to others."""
        slot = self._slots[0]
        alone: list[tuple[Any, Any]] = []
        for feed in first:
            self._run(slot, [feed])
            self._work.wait()
            if self.reduction.name_not_finite(slot.snapshot):
                break  # it is told when its turn comes
            alone.append(decode_extremes(slot.snapshot.states))
        sizes = slot.snapshot.tensors["size"] * (4 - 2 * slot.snapshot.tensors["half"])
        sample = int(sizes.sum()) + sum(each.nbytes for each in first[0].arrays.values())
        alike = len(alone) == _PAIR and len(list(gather(first, lambda: _PAIR))) == 1
        if self._axes and alike:
            most = min(self._most, choose_batch(sample, self._work.count_free_bytes()))
            self._batch = self._find_independent(slot, first, most, alone[-1])
            self._tell_batch(sample)
        self.reduction.reset()

    def _find_independent(
        self, slot: _Slot, pair: list[Feed], most: int, alone: tuple[Any, Any]
    ) -> int:
        """Return how many samples a run may take, each of which makes what it makes alone.

        A run of so many, the two by turns, must make what both make alone, but for roundings: for
        another size, cuDNN would plan all convolutions once more.
        """
        while most > 1:
            self.reduction.reset()
            try:
                self._run(slot, [pair[place % _PAIR] for place in range(most)])
            except StepInputError as error:
                if not is_out_of_memory(error):
                    told = "the model does not run on several samples at once"
                    self._note(f"{told}: it ran on one at a time")
                    return 1
                most = (most + 1) // 2
                self._note(f"memory is short: runs take {most} samples")
                continue
            self._work.wait()
            if are_alike(alone, decode_extremes(slot.snapshot.states)):
                return most
            self._note("samples change each other's values in a run: it ran on one at a time")
            break
        return 1

    def _tell_batch(self, sample_bytes: int) -> None:
        if self._batch > 1:
            taken = format_size(self._batch * sample_bytes + self.reduction.size_bytes)
            self._note(
                f"ran on the GPU in batches of {self._batch}, {taken} of its memory for what is "
                "observed: sums may be rounded otherwise than of one sample at a time"
            )

    def run_all(self, feeds: Iterable[Feed], progress: Callable[[int], None]) -> int:
        """Run all; return how many samples that were."""
        consumed = 0
        ahead: deque[tuple[_Slot, Future[None]]] = deque()
        with ThreadPoolExecutor(1, thread_name_prefix="stack") as pool:

            def go() -> None:
                nonlocal consumed
                slot, filled = ahead.popleft()
                filled.result()
                self._compute_or_halve(slot)
                self._slots.append(slot)
                consumed += sum(len(feed.samples) for feed in slot.feeds)
                progress(consumed)

            for group in gather(feeds, lambda: self._batch):
                slot = self._take_slot()
                try:
                    slot.room.prepare(group, self._axes)
                except StepInputError:
                    if len(group) == 1:
                        raise
                    while ahead:
                        go()
                    self._slots.append(slot)
                    consumed += self._run_halves(group)
                    continue
                slot.feeds = group
                ahead.append((slot, pool.submit(slot.room.fill, group, self._axes)))
                if len(ahead) > 1:
                    go()
            while ahead:
                go()
        for _ in range(len(self._slots)):
            self._slots.append(self._take_slot())
        return consumed

    def flush(self, feed: Feed) -> None:
        """Have ONNX Runtime give back what it holds of runs that it did not wait for: wait for one.

        What it holds when its session ends it gives back from within the stream, where CUDA does
        not permit that: the process would end.
        """
        with contextlib.suppress(StepInputError):
            self._observer.session.run(feed.finish(), self._observer.made[:1])
            self._work.wait()

    def _take_slot(self) -> _Slot:
        """Return the slot that is free next, once its run is through and was found to be sound."""
        slot = self._slots.popleft()
        if slot.event is not None:
            slot.event.sync()
            slot.event = None
            if odd := self.reduction.name_not_finite(slot.snapshot):
                raise self._blame(slot.feeds, odd[0])
        return slot

    def _blame(self, feeds: list[Feed], tensor: str) -> StepInputError:
        """Find the sample for which a tensor is not finite: run each of them by itself."""
        import numpy as np

        for feed in feeds:
            with feed.blamed():
                for name, values in self._observer.values(feed.finish()):
                    if not np.isfinite(values).all():
                        return refuse_values(name, feed.named)
        first, last = feeds[0].samples[0], feeds[-1].samples[-1]
        return refuse_values(tensor, f"the batch {first} to {last}")

    def _run(self, slot: _Slot, feeds: list[Feed]) -> None:
        """Run feeds at once, from the beginning, and reduce what they make."""
        slot.feeds = feeds
        slot.room.prepare(feeds, self._axes)
        slot.room.fill(feeds, self._axes)
        self._compute(slot)

    def _run_halves(self, feeds: list[Feed]) -> int:
        half = (len(feeds) + 1) // 2
        self._batch = min(self._batch, half)
        for part in (feeds[:half], feeds[half:]):
            slot = self._take_slot()
            try:
                self._run(slot, part)
            except StepInputError:
                self._slots.append(slot)
                if len(part) == 1:
                    raise
                self._run_halves(part)
            else:
                slot.event = self._work.record()
                self._slots.append(slot)
        return sum(len(feed.samples) for feed in feeds)

    def _compute_or_halve(self, slot: _Slot) -> None:
        try:
            self._compute(slot)
            slot.event = self._work.record()
        except StepInputError as error:
            if len(slot.feeds) == 1:
                raise
            why = "memory is short" if is_out_of_memory(error) else error.message
            half = (len(slot.feeds) + 1) // 2
            self._note(f"{why}: runs take {half} samples, no longer {len(slot.feeds)}")
            self._run_halves(slot.feeds)

    def _compute(self, slot: _Slot) -> None:
        """Ask for a run, and for the reduction of what it makes; nothing waits for either."""
        from trtbuild.model.session import RUN_HINT, translate_errors

        self._count += 1
        options = self._options if self._count % SYNCED_RUNS else self._synced
        inputs = slot.room.upload()
        binding = self._session.io_binding()
        for name, address in inputs.items():
            array = slot.room.arrays[name]
            binding.bind_input(
                name, self._work.memory, 0, array.dtype.type, list(array.shape), address
            )
        for name in self._observer.made:
            binding.bind_output(name, self._work.memory, 0)
        if len(slot.feeds) == 1:
            with slot.feeds[0].blamed(), translate_errors("run", RUN_HINT):
                self._session.run_with_iobinding(binding, options)
        else:
            with translate_errors("run", RUN_HINT):
                self._session.run_with_iobinding(binding, options)
        found = dict(zip(self._observer.made, binding.get_outputs(), strict=True))
        observed = []
        for name in self._names:
            if name in found:
                observed.append(observe_output(name, found[name]))
            else:
                observed.append(observe_input(name, slot.room.arrays[name], inputs[name]))
        # What was made is given back once this returns: later runs of the same stream may have
        # its memory, and come after the reduction.
        self.reduction.add(observed, slot.snapshot)
