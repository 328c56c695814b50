"""Fill a histogram for each tensor from every sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from trtbuild.calib.histogram import Histogram, NotFinite
from trtbuild.calib.observe import Exposed, Observer
from trtbuild.calib.pool import Pool
from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feed

__all__ = ["collect_histograms", "make_pool", "refuse_values"]


def make_pool(size: int) -> Pool:
    """Make a pool for `collect_histograms`: its processes import ahead what they will need."""
    return Pool(size, imports=("onnxruntime", __name__))


def collect_histograms(
    observer: Observer,
    feeds: Iterable[Feed],
    histograms: Mapping[str, Histogram],
    *,
    pool: Pool | None = None,
    progress: Callable[[int], None],
    note: Callable[[str], None] = lambda _: None,
) -> int:
    """Run every feed and add what is observed to the histograms; return the samples consumed.

    Each process of the pool runs a feed at a time; their number changes no result. Without a pool,
    this one runs all. Where the model runs on a GPU, what it makes is reduced there, of several
    samples at a time: `note` is told how many. `progress` is told the samples consumed so far.

    Raises:
        StepInputError: a tensor is not finite (names it and the sample), or a feed cannot be
            run. Of several, the first in the order of the feeds.
    """
    if observer.work is not None:
        from trtbuild.calib.on_gpu.collect import collect_on_gpu

        return collect_on_gpu(observer, feeds, histograms, progress=progress, note=note)
    consumed = 0

    def tell(samples: int) -> None:
        nonlocal consumed
        consumed = samples
        progress(samples)

    own = _Collector(observer, histograms)
    counted = {name: one.counts.size > 0 for name, one in histograms.items()}
    job = partial(_start, observer.exposed, counted)
    for part in (pool or Pool(1)).share(feeds, own, job, progress=tell):
        for name, histogram in part.items():
            histograms[name].merge(histogram)
    return consumed


@dataclass(frozen=True)
class _Collector:
    """The reducer: histograms that are being filled."""

    observer: Observer
    histograms: Mapping[str, Histogram]

    def add(self, feed: Feed) -> None:
        with feed.blamed():
            found = self.observer.values(feed.arrays)
        for name, values in found:
            try:
                self.histograms[name].add(values)
            except NotFinite:
                raise refuse_values(name, feed.named) from None

    def result(self) -> Mapping[str, Histogram]:
        return self.histograms


def refuse_values(name: str, samples: str) -> StepInputError:
    """Return what is raised where a tensor is not finite."""
    return StepInputError(
        f"`{name}` holds a NaN or an infinity for {samples}",
        hint="look at that sample and its preprocessing; "
        "if they are sound, the FP32 model itself overflows",
    )


def _start(exposed: Exposed, counted: Mapping[str, bool]) -> _Collector:
    histograms = {name: Histogram(counted=each) for name, each in counted.items()}
    return _Collector(Observer(exposed), histograms)
