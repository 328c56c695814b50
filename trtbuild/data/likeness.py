"""Whether two data sets hold other samples, of one scale, as calibration and comparison must."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from statistics import median

from trtbuild.data.base import Manifest, ValueSpan

__all__ = ["find_repeated_samples", "find_shared_samples", "find_unlike_scales"]

FAR = 4.0
"""So many times apart, the spread of two data sets is no accident of which samples they hold."""
SIGNED = 0.5
"""Values that go so many deviations below zero beside data that never does are normalized, and
those are not."""
SCALED = 1.5
"""Beside such data, so many times apart says the same: 0..1 spreads half as far as -1..1."""
SHARED = 0.1
"""A smaller share of equal samples is that of pictures which a data set holds twice."""
ENOUGH = 64
"""Fewer values than these say nothing of a spread."""


def find_shared_samples(calibration: Manifest, comparison: Manifest) -> str:
    """Say how many samples are compared on that calibration saw; nothing where they are few."""
    seen = frozenset(calibration.samples)
    shared = sum(digest in seen for digest in comparison.samples)
    if not shared or shared < SHARED * comparison.count:
        return ""
    return (
        f"{shared} of the {comparison.count} samples that are compared on are among those that "
        "calibration saw, which flatters INT8: compare on others"
    )


def find_repeated_samples(comparison: Manifest) -> str:
    """Say that fewer than half of the samples are different ones; nothing where more are."""
    different = len({*comparison.samples})
    if 2 * different >= comparison.count:
        return ""
    return (
        f"the {comparison.count} samples that are compared on are only {different} different ones: "
        "each counts as often as it stands there, and the intervals take all for different"
    )


def find_unlike_scales(
    calibration: Manifest, comparison: Manifest, *, broken: Container[str] = ()
) -> Iterator[str]:
    """Yield each input whose values have another scale in the one than in the other.

    A few samples decide the spread of an input that is `broken`: there the usual largest values are
    held against each other.
    """
    for name, one in calibration.spans.items():
        other = comparison.spans.get(name)
        if other is None or min(one.values, other.values) < ENOUGH:
            continue
        if name in broken:
            apart = _differ_usually(calibration.peaks[name], comparison.peaks[name])
        else:
            apart = _differ(one, other)
        if apart:
            yield f"`{name}`: calibration saw {_tell(one)}, the comparison sees {_tell(other)}"


def _differ(one: ValueSpan, other: ValueSpan) -> bool:
    low, high = sorted((one.deviation, other.deviation))
    if not low:
        return False
    if high > FAR * low or abs(one.mean - other.mean) > FAR * high:
        return True
    if _is_normalized(one) == _is_normalized(other):
        return False
    moved = min(one.low, other.low) < 0 <= max(one.low, other.low)
    return high > SCALED * low or (moved and abs(one.mean - other.mean) > high)


def _differ_usually(one: Sequence[float], other: Sequence[float]) -> bool:
    low, high = sorted(map(median, (one, other)))
    return high > FAR * low > 0


def _is_normalized(span: ValueSpan) -> bool:
    return span.low < -SIGNED * span.deviation


def _tell(span: ValueSpan) -> str:
    return (
        f"{span.low:.3g} to {span.high:.3g} (mean {span.mean:.3g}, deviation {span.deviation:.3g})"
    )
