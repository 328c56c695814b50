"""Whether two data sets hold values of one scale, as calibration and comparison must."""

from __future__ import annotations

from collections.abc import Iterator

from trtbuild.data.base import Manifest, Span

__all__ = ["find_unlike_scales"]

FAR = 4.0
"""So many times apart, the spread of two data sets is no accident of which samples they hold."""
SIGNED = 0.5
"""Values that go so many deviations below zero beside data that never does are normalized, and
those are not."""
ENOUGH = 64
"""Fewer values than these say nothing of a spread."""


def find_unlike_scales(calibration: Manifest, comparison: Manifest) -> Iterator[str]:
    """Yield each input whose values have another scale in the one than in the other."""
    for name, one in calibration.spans.items():
        other = comparison.spans.get(name)
        if other is not None and min(one.values, other.values) >= ENOUGH and _differ(one, other):
            yield f"`{name}`: calibration saw {_tell(one)}, the comparison sees {_tell(other)}"


def _differ(one: Span, other: Span) -> bool:
    low, high = sorted((one.deviation, other.deviation))
    if not low:
        return False
    if high > FAR * low or abs(one.mean - other.mean) > FAR * high:
        return True
    return high > FAR / 2 * low and _is_normalized(one) != _is_normalized(other)


def _is_normalized(span: Span) -> bool:
    return span.low < -SIGNED * span.deviation


def _tell(span: Span) -> str:
    return (
        f"{span.low:.3g} to {span.high:.3g} (mean {span.mean:.3g}, deviation {span.deviation:.3g})"
    )
