"""Fill a histogram for each tensor from every sample."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Semaphore

from trtbuild.calib.feeds import Feed
from trtbuild.calib.histogram import Histogram, NotFinite
from trtbuild.calib.observe import Observer
from trtbuild.core.errors import StepInputError

__all__ = ["collect"]


def collect(
    observer: Observer,
    feeds: Iterable[Feed],
    histograms: Mapping[str, Histogram],
    *,
    workers: int,
    progress: Callable[[int], None],
) -> int:
    """Run every feed and add what is observed to the histograms; return the samples consumed.

    `workers` feeds are under way at a time: one is reduced while another is computed. Their
    number changes no result. `progress` is told the samples consumed so far.

    Raises:
        StepInputError: a tensor is not finite (names it and the sample), or a feed cannot be
            run. Of several, the first in the order of the feeds.
    """
    consumed = 0
    # NumPy counts under the interpreter's lock: threads that count at the same time mostly hand
    # it to and fro, and are slower than one after the other. The rest meanwhile compute.
    turns = Semaphore(max(1, workers // 2))
    under_way: deque[tuple[Future[None], int]] = deque()

    def finish_first() -> None:
        nonlocal consumed
        future, size = under_way.popleft()
        future.result()
        consumed += size
        progress(consumed)

    with ThreadPoolExecutor(workers) as pool:
        try:
            for feed in feeds:
                task = pool.submit(_reduce, observer, feed, histograms, turns)
                under_way.append((task, len(feed.samples)))
                while len(under_way) > workers:
                    finish_first()
            while under_way:
                finish_first()
        finally:
            for future, _ in under_way:
                future.cancel()
    return consumed


def _reduce(
    observer: Observer, feed: Feed, histograms: Mapping[str, Histogram], turns: Semaphore
) -> None:
    observed = observer.values(feed.arrays)
    with turns:
        for name, values in observed:
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
