"""Samples that spoil a calibration: one value in them dwarfs all that the others hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from trtbuild.calib.collect import collect_histograms
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import Observer
from trtbuild.calib.pool import Pool
from trtbuild.core.quantized_types import FP8
from trtbuild.core.values import Range
from trtbuild.model.feeds import Feed

__all__ = [
    "TIMES_FAR",
    "BrokenSample",
    "collect_sound",
    "find_broken_samples",
    "find_lost_inputs",
]

TIMES_LARGER = 16.0
"""So many times as large as all others, it leaves them 8 of the 128 steps of INT8."""
LEAST_SAMPLES = 8
"""Of fewer, nobody knows which are the odd ones."""
LARGEST_SHARE = 0.01
"""What more samples than this have in common is how the data is..."""
LARGEST_SHARE_FAR = 0.05
TIMES_FAR = 128.0
"""... but of so few, that leave all others not even one step of INT8, INT8 can make nothing."""
LEVELS = 127
LEAST_LEFT = 0.001
"""The least share of an input's values that must be told from 0."""


ROUND = (
    f"round to 0 in INT8 (in FP8 what is below 1/{2 * FP8.largest / FP8.smallest:.0f} of the limit)"
)


@dataclass(frozen=True)
class BrokenSample:
    """A sample whose largest value in a tensor is far above that of all sound ones."""

    index: int
    """Counted from 0."""
    tensor: str
    peak: float
    """The largest |x| in it, of that tensor."""
    sound_peak: float
    """The largest |x| in all samples but the broken ones."""


def find_broken_samples(
    peaks: Mapping[str, tuple[float, ...]], *, times: float = TIMES_LARGER
) -> dict[int, BrokenSample]:
    """Find broken samples by the largest |x| of each sample in each input.

    One in a hundred (or one) may be broken, whose peak is 16 (`times`) times that of the rest; five
    in a hundred, where theirs are 128 times as large.
    """
    found: dict[int, BrokenSample] = {}
    for tensor, each in sorted(peaks.items()):
        order = sorted(range(len(each)), key=lambda index: -each[index])
        few = max(1, int(len(each) * LARGEST_SHARE)) if len(each) >= LEAST_SAMPLES else 0
        for count in range(max(few, int(len(each) * LARGEST_SHARE_FAR)), 0, -1):
            least, sound = each[order[count - 1]], each[order[count]]
            least_times = times if count <= few else TIMES_FAR
            if sound > 0 and least >= least_times * sound:
                for index in order[:count]:
                    broken = BrokenSample(index, tensor, each[index], sound)
                    found.setdefault(index, broken)
                break
    return found


def collect_sound(  # noqa: PLR0913  # what runs, what it fills, and who hears of it
    observer: Observer,
    feeds: Iterable[Feed],
    histograms: Mapping[str, Histogram],
    broken: Mapping[int, BrokenSample],
    *,
    whole: Collection[str],
    pool: Pool,
    progress: Callable[[int], None],
    note: Callable[[str], None] = lambda _: None,
) -> tuple[int, int, tuple[str, ...]]:
    """Run every feed as `collect_histograms` does, but none that holds a broken sample.

    Those count for the tensors in `whole` alone, which keep every value. Returns the samples
    consumed, how many of them were left out of some tensor, and a warning for each broken one.

    Raises:
        StepInputError: as `collect_histograms`.
    """
    apart: list[Feed] = []
    names: dict[int, str] = {}
    sound = _split(feeds, broken, apart, names)
    consumed = collect_histograms(
        observer, sound, histograms, pool=pool, progress=progress, note=note
    )
    warnings = tuple(
        _describe(each, names[index], histograms.get(each.tensor), kept=bool(whole))
        for index, each in sorted(broken.items())
        if index in names
    )
    left_out = sum(len(feed.samples) for feed in apart)
    if whole:
        rest = {name: Histogram(counted=False) for name in observer.tensors}
        filled = rest | {name: histograms[name] for name in whole}
        collect_histograms(observer, apart, filled, progress=lambda n: progress(consumed + n))
    return consumed + left_out, left_out, warnings


def find_lost_inputs(
    peaks: Mapping[str, tuple[float, ...]],
    histograms: Mapping[str, Histogram],
    ranges: Mapping[str, Range],
) -> Iterator[str]:
    """Say of which inputs nearly all values round to 0, and which sample holds the largest."""
    for name, each in sorted(peaks.items()):
        seen, range_ = histograms.get(name), ranges.get(name)
        if seen is None or range_ is None or not seen.counts.size or not seen.absmax:
            continue
        limit = max(-range_.low, range_.high)
        share = seen.share_above(limit / LEVELS / 2) or 0.0
        if share <= LEAST_LEFT:
            index = each.index(max(each))
            yield (
                f"{int((1 - share) * 1000) / 10:g} % of the values of `{name}` {ROUND}: "
                f"its limit is {limit:.6g}, and sample {index} holds {each[index]:.6g}: look at "
                "the preprocessing, or give the tensor a range by hand (`ranges`)"
            )


def _split(
    feeds: Iterable[Feed],
    broken: Mapping[int, BrokenSample],
    apart: list[Feed],
    names: dict[int, str],
) -> Iterator[Feed]:
    """Yield the feeds without a broken sample; put the others `apart`, and note their `names`."""
    first = 0
    for feed in feeds:
        here = {first + place: name for place, name in enumerate(feed.samples)}
        first += len(feed.samples)
        odd = {index: name for index, name in here.items() if index in broken}
        names |= odd
        if odd:
            apart.append(feed)
        else:
            yield feed


def _describe(broken: BrokenSample, name: str, seen: Histogram | None, *, kept: bool) -> str:
    """Say what is wrong with a sample, what that does to INT8, and what was done about it."""
    share = None if seen is None else seen.share_above(broken.peak / LEVELS / 2)
    # The peak itself does not: it is never all of them.
    percent = "" if share is None else f"{min(int((1 - share) * 1000) / 10, 99.9):g} % of "
    told = (
        f"sample {broken.index} (`{name}`) holds {broken.peak:.6g} in `{broken.tensor}`, "
        f"{broken.peak / broken.sound_peak:.4g} times the largest value of all others, beside "
        f"which {percent}the values of `{broken.tensor}` {ROUND}; "
    )
    done = "only minmax keeps it" if kept else "it was left out of the calibration"
    return f"{told}{done}: look at that sample, and mend it or take it out of the data"
