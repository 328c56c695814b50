"""Fill a histogram for each tensor from every sample."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from trtbuild.calib.crew import Crew, Work
from trtbuild.calib.histogram import Histogram, NotFinite
from trtbuild.calib.observe import Observer
from trtbuild.calib.shards import Shard, read_shard, write_shard
from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feed

__all__ = ["collect_histograms"]


def collect_histograms(
    observer: Observer,
    feeds: Iterable[Feed],
    histograms: Mapping[str, Histogram],
    *,
    workers: int,
    progress: Callable[[int], None],
) -> int:
    """Run every feed and add what is observed to the histograms; return the samples consumed.

    Each of `workers` processes runs a feed at a time; their number changes no result. `progress`
    is told the samples consumed so far.

    Raises:
        StepInputError: a tensor is not finite (names it and the sample), or a feed cannot be
            run. Of several, the first in the order of the feeds.
    """
    if workers > 1:
        return _share_out(observer, feeds, histograms, workers=workers, progress=progress)
    consumed = 0
    for feed in feeds:
        _reduce(observer, feed, histograms)
        consumed += len(feed.samples)
        progress(consumed)
    return consumed


def _share_out(
    observer: Observer,
    feeds: Iterable[Feed],
    histograms: Mapping[str, Histogram],
    *,
    workers: int,
    progress: Callable[[int], None],
) -> int:
    own = {name: Histogram(counted=one.counts.size > 0) for name, one in histograms.items()}
    work = Work(
        reduce=lambda feed: _reduce(observer, feed, own),
        finish=lambda path: write_shard(path, Shard(1, 1, 0, own)),
    )
    with (
        tempfile.TemporaryDirectory(prefix="trtbuild-") as scratch,
        Crew(workers, work, scratch=Path(scratch), progress=progress) as crew,
    ):
        for number, feed in enumerate(feeds):
            crew.give(number, feed)
        for path in crew.results():
            for name, counted in read_shard(path).histograms.items():
                histograms[name].merge(counted)
        return crew.samples


def _reduce(observer: Observer, feed: Feed, histograms: Mapping[str, Histogram]) -> None:
    for name, values in observer.values(feed.arrays):
        try:
            histograms[name].add(values)
        except NotFinite:
            raise StepInputError(
                f"`{name}` holds a NaN or an infinity for {_samples(feed)}",
                hint="look at that sample and its preprocessing; "
                "if they are sound, the FP32 model itself overflows",
            ) from None


def _samples(feed: Feed) -> str:
    first, *rest = feed.samples
    return f"the batch {first} to {rest[-1]}" if rest else f"sample {first}"
