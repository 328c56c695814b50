"""Samples that spoil a calibration within the model: of an input that looks sound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from trtbuild.calib.broken_samples import (
    TIMES_FAR,
    BrokenSample,
    collect_sound,
    find_broken_samples,
)
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import Observer
from trtbuild.calib.pool import Pool
from trtbuild.model.feeds import Feed

__all__ = ["Collected", "collect_sound_within", "find_dwarfed"]


@dataclass(frozen=True)
class Collected:
    """What a collection over all sound samples came to."""

    samples: int
    """Those that were consumed, the broken ones among them."""
    left_out: int
    warnings: tuple[str, ...]
    histograms: dict[str, Histogram]
    broken: frozenset[int]
    """The numbers of the samples that were left out of some tensor."""


def collect_sound_within(  # noqa: PLR0913  # what runs, what it fills, and who hears of it
    observer: Observer,
    feeds: Callable[[], Iterable[Feed]],
    counted: Mapping[str, bool],
    broken: Mapping[int, BrokenSample],
    *,
    whole: Collection[str],
    pool: Pool,
    progress: Callable[[int], None],
    note: Callable[[str], None] = lambda _: None,
) -> Collected:
    """Collect as `collect_sound` does; once more, where samples are broken within the model.

    That a few make values 128 times as large as all others shows in how large they were; which ones
    those are, another run over all tells. On a GPU, which reduces several samples together, nothing
    of it shows. `counted` says which histograms count values.

    Raises:
        StepInputError: as `collect_histograms`.
    """

    def collect(pool: Pool) -> Collected:
        histograms = {name: Histogram(counted=each) for name, each in counted.items()}
        found = collect_sound(
            observer,
            feeds(),
            histograms,
            known,
            whole=whole,
            pool=pool,
            progress=progress,
            note=note,
        )
        return Collected(*found, histograms, frozenset(known))

    known = dict(broken)
    found = collect(pool)
    dwarfed = find_dwarfed(found.histograms)
    more = _find_broken_within(observer, feeds(), dwarfed, known) if dwarfed else {}
    if not more:
        return found
    known |= more
    return collect(Pool(1))


def find_dwarfed(histograms: Mapping[str, Histogram]) -> list[str]:
    """Return the tensors of which a few feeds hold values 128 times as large as all others do."""
    return [
        name
        for name, each in histograms.items()
        if any(other > 0 and one >= TIMES_FAR * other for one, other in pairwise(each.tops))
    ]


def _find_broken_within(
    observer: Observer,
    feeds: Iterable[Feed],
    tensors: Collection[str],
    known: Mapping[int, BrokenSample],
) -> dict[int, BrokenSample]:
    """Run all feeds again, and find those samples that are broken in some of the tensors."""
    peaks: dict[str, list[float]] = {name: [] for name in tensors}
    places: list[range] = []
    first = 0
    for feed in feeds:
        here = range(first, first := first + len(feed.samples))
        if known.keys() & {*here}:
            continue
        places.append(here)
        with feed.blamed():
            found = observer.values(feed.arrays)
        for name, values in found:
            if name in peaks:
                peaks[name].append(float(abs(values).max(initial=0.0)))
    odd = find_broken_samples({name: tuple(each) for name, each in peaks.items()}, times=TIMES_FAR)
    return {
        index: BrokenSample(index, each.tensor, each.peak, each.sound_peak)
        for place, each in odd.items()
        for index in places[place]
    }
