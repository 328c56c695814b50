"""Whose values a report shows: the tensors that lose most in INT8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trtbuild.core.histograms import Histograms, ValueCounts
from trtbuild.core.values import Range

__all__ = ["pick_histograms"]

MOST = 12


def pick_histograms(
    found: Histograms | None, ranges: Mapping[str, Range], concerned: Sequence[str]
) -> dict[str, ValueCounts]:
    """Return the histograms of `concerned` tensors, in their order; the worst where there are none.

    Those are the ones whose range leaves the least signal over noise, as far as the tensor alone
    tells.
    """
    known = {
        name: each
        for name, each in (found.tensors if found else {}).items()
        if name in ranges and each.total
    }
    named = [name for name in dict.fromkeys(concerned) if name in known]
    worst = sorted(known, key=lambda name: (known[name].estimate_db(ranges[name].limit), name))
    return {name: known[name] for name in (named or worst)[:MOST]}
