"""Write into the table of ranges which tensors share a scale."""

from __future__ import annotations

from collections.abc import Iterable

from trtbuild.core.values import Ranges
from trtbuild.quant.placing.placement import Pair

__all__ = ["tie_ranges"]


def tie_ranges(ranges: Ranges, pairs: Iterable[Pair]) -> Ranges:
    """Return the ranges that a placement uses: tensors of a group have the largest of its limits.

    A range that was widened for it has the origin `tied` and the bounds of the widest; all of a
    group name the others.
    """
    table = dict(ranges.tensors)
    for pair in pairs:
        if not pair.shared_with:
            continue
        own = ranges.tensors[pair.tensor]
        if own.limit != pair.limit:
            group = (ranges.tensors[name] for name in pair.shared_with)
            widest = next(each for each in group if each.limit == pair.limit)
            own = own.replace(widest.low, widest.high, "tied")
        table[pair.tensor] = own.model_copy(update={"tied_with": pair.shared_with})
    return ranges.model_copy(update={"tensors": table})
