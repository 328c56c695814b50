"""What moved between two tables of ranges, and what that does to INT8's resolution."""

from __future__ import annotations

import math
import struct

from trtbuild.core.options import Options
from trtbuild.core.values import Range, Ranges

__all__ = ["MovedRange", "RangeDiff", "compare_ranges"]


class MovedRange(Options):
    """One tensor whose limit differs, or that has a range in one of the tables alone."""

    tensor: str
    before: float | None
    """Its limit; None where it has no range, or one that gives no scale (limit 0)."""
    after: float | None
    ratio: float | None
    """after / before; None where one is missing."""
    bits_lost: float | None
    """log2(ratio): twice the limit leaves half the steps; below 0 where bits are gained."""


class RangeDiff(Options):
    """Everything that moved, the worst first."""

    moved: tuple[MovedRange, ...]
    """Those that one table lacks first, then by how far their limit moved, either way."""
    same: int
    """How many tensors have, within the tolerance, the same scale in both."""
    tolerance: float

    @property
    def differ(self) -> bool:
        """Tell whether anything moved."""
        return bool(self.moved)


def compare_ranges(before: Ranges, after: Ranges, *, tolerance: float = 0.0) -> RangeDiff:
    """Compare two tables by what INT8 makes of them: the limit, and so the scale, of each tensor.

    Scales are equal where they are as float32, or differ by no more than `tolerance`, a share of
    the smaller.
    """
    moved, same = [], 0
    for tensor in sorted(before.tensors.keys() | after.tensors.keys()):
        old, new = _limit(before.tensors.get(tensor)), _limit(after.tensors.get(tensor))
        if _equal(old, new, tolerance):
            same += 1
            continue
        ratio = new / old if old is not None and new is not None else None
        bits = None if ratio is None else math.log2(ratio)
        moved.append(MovedRange(tensor=tensor, before=old, after=new, ratio=ratio, bits_lost=bits))
    moved.sort(key=lambda each: (-_distance(each), each.tensor))
    return RangeDiff(moved=tuple(moved), same=same, tolerance=tolerance)


def _limit(found: Range | None) -> float | None:
    """Return the limit of a range that gives a scale in float32."""
    return found.limit if found is not None and _scale(found.limit) else None


def _equal(old: float | None, new: float | None, tolerance: float) -> bool:
    if old is None or new is None:
        return old is new
    low, high = sorted((old, new))
    return _scale(old) == _scale(new) or high - low <= tolerance * low


def _scale(limit: float) -> float:
    """Return limit / 127 in float32, and 0 where that is too large for it."""
    try:
        (scale,) = struct.unpack("<f", struct.pack("<f", limit / 127))
    except OverflowError:
        return 0.0
    return float(scale)


def _distance(moved: MovedRange) -> float:
    return math.inf if moved.bits_lost is None else abs(moved.bits_lost)
