"""Run a pipeline: every part in a thread of its own, queues between them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, takewhile
from pathlib import Path

from trtbuild.core.digest import digest_of_file
from trtbuild.core.entrypoint import find_source_files
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.load import LoadedPipeline
from trtbuild.pipeline.memory_plan import MemoryPlan, demand_room, plan_memory
from trtbuild.pipeline.queues import BoundedQueue, PipelineStopped
from trtbuild.pipeline.results import open_results
from trtbuild.pipeline.schema import Queue
from trtbuild.pipeline.sources import Frames, open_frames, take_frames
from trtbuild.pipeline.stages import make_parts
from trtbuild.pipeline.summary import PartSummary, PipelineSummary, find_percentiles
from trtbuild.pipeline.workers import PartWorker, StagePart
from trtbuild.runtime.recipes import Doubt

__all__ = ["run_pipeline"]

INNER = Queue(size=2)
"""Between the parts of one stage: enough that both always have work."""
MOST_DELAYS = 100_000
"""Frames, the last ones, from which percentiles are told."""

Tell = Callable[[PipelineSummary], None]


def run_pipeline(  # noqa: PLR0913  # all that is asked of it, and told
    loaded: LoadedPipeline,
    build_dir: Path,
    *,
    frames: Frames | None = None,
    tell: Tell = lambda _: None,
    tell_seconds: float = 1.0,
    planned: Callable[[MemoryPlan], None] = lambda _: None,
    doubt: Doubt = lambda *_: "",
    ended: Callable[[], bool] = lambda: False,
) -> PipelineSummary:
    """Run a pipeline to the end of its source, and return how it went.

    Args:
        loaded: the pipeline.
        build_dir: where its recipes were built.
        frames: in the place of its source; a queue of them ends with None.
        tell: is told how it goes, every `tell_seconds`.
        tell_seconds: how often.
        doubt: raises where what is built of a recipe is not of it as it stands.
        ended: is asked at each frame of the source whether that has ended: what is under way is
            worked on to its end.
        planned: is told what engines take of a GPU, where there is one, before they are loaded.

    Raises:
        RecipeError, MissingFile, UsageError: a stage cannot be made.
        NoGpu: the GPU has no room for all engines.
        StepInputError: a frame cannot be decoded, or a stage fails on it; says which.
        MissingDependency: something that it needs is not installed.
    """
    memory = plan_memory(loaded, build_dir)
    if memory is not None:
        planned(memory)
        demand_room(memory)
    with contextlib.ExitStack() as opened:  # which closes all of it, though one part fails to
        parts = make_parts(loaded, build_dir, doubt)
        for part in parts:
            opened.callback(part.close)
        line = _Line(loaded, parts)
        opened.callback(line.end)
        sinks = opened.enter_context(open_results(loaded))
        given = line.open(loaded) if frames is None else line.take(frames)
        line.start(takewhile(lambda _: not ended(), given))
        told = time.monotonic()
        for item in line:
            for sink in sinks:
                sink.add(item)
            if time.monotonic() - told >= tell_seconds:
                told = time.monotonic()
                tell(line.summarize())
    return line.summarize()


class _Line:
    """The source, workers and queues of a pipeline, in a row."""

    def __init__(self, loaded: LoadedPipeline, parts: Sequence[StagePart]) -> None:
        stages = loaded.pipeline.stages
        first = {part.stage: part for part in reversed(parts)}
        policies = [stages[p.stage].queue if first[p.stage] is p else INNER for p in parts]
        self._queues = [BoundedQueue[Item](each) for each in (*policies, INNER)]
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        self._workers = [
            PartWorker(part, source, sink, self._fail)
            for part, (source, sink) in zip(parts, pairwise(self._queues), strict=True)
        ]
        self._feeder: threading.Thread | None = None
        self._begun = self._ended = time.monotonic()
        self._delays: list[float] = []
        self._came = self._done = 0
        self._code = _digest_code(loaded)

    def start(self, frames: Iterable[Item]) -> None:
        self._begun = time.monotonic()
        self._feeder = threading.Thread(target=self._feed, args=(frames,), daemon=True)
        for each in (*self._workers, self._feeder):
            each.start()

    def open(self, loaded: LoadedPipeline) -> Iterator[Item]:
        """Return the frames of the source; nobody waits for the next one once it all ends."""
        return open_frames(loaded, self._stopped.wait)

    def take(self, frames: Frames) -> Iterator[Item]:
        """Return what a program gives, until the pipeline ends."""
        return take_frames(frames, self._stopped.is_set)

    def _feed(self, frames: Iterable[Item]) -> None:
        try:
            for item in frames:
                item.born = time.monotonic()
                self._came += 1
                self._queues[0].put(item)
            self._queues[0].close()
        except PipelineStopped:
            pass
        except BaseException as error:  # noqa: BLE001  # is raised again where the pipeline runs
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._stop()

    def _stop(self) -> None:
        self._stopped.set()
        for each in self._queues:
            each.stop()

    def __iter__(self) -> _Line:
        return self

    def __next__(self) -> Item:
        found: list[Item] = []
        with contextlib.suppress(PipelineStopped):
            found = self._queues[-1].take(1, 0.0)
        if self._error is not None:
            raise self._error
        if not found:
            raise StopIteration
        self._ended = time.monotonic()
        self._done += 1
        self._delays.append(self._ended - found[0].born)
        if len(self._delays) > MOST_DELAYS:
            del self._delays[: MOST_DELAYS // 2]
        return found[0]

    def end(self) -> None:
        """Stop everything, and wait for what is being worked on."""
        self._stop()
        for each in (*self._workers, *([self._feeder] if self._feeder else [])):
            if each.ident is not None:
                each.join()

    def summarize(self) -> PipelineSummary:
        seconds = max(self._ended - self._begun, 1e-9)
        return PipelineSummary(
            frames=self._came,
            results=self._done,
            dropped=sum(each.dropped for each in self._queues),
            seconds=seconds,
            delays_ms=find_percentiles(self._delays),
            parts=tuple(_summarize(each, seconds) for each in self._workers),
            code=self._code,
        )


def _summarize(worker: PartWorker, seconds: float) -> PartSummary:
    queue = worker.source
    return PartSummary(
        stage=worker.part.stage,
        part=worker.part.name,
        items=worker.items,
        busy=min(1.0, worker.busy_seconds / seconds),
        left_out=worker.left_out,
        dropped=queue.dropped,
        queue_mean=queue.mean_length,
        queue_longest=queue.longest,
        runs=worker.part.runs,
        why=worker.part.why,
    )


def _digest_code(loaded: LoadedPipeline) -> dict[str, str]:
    """Return the digests of the files that functions stand in, and of what they import beside."""
    entries = [each.python for each in loaded.pipeline.stages.values() if each.python is not None]
    files = {file for entry in entries for file in find_source_files(entry, loaded.base)}
    return {str(file): digest_of_file(file) for file in sorted(files)}
