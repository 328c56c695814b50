"""What narrower ranges than were seen cut off: known while the histograms are, kept for later."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trtbuild.calib.histogram import Histogram
from trtbuild.core.options import Options

__all__ = ["Tail", "Tails", "make_tails"]

POINTS = 16
"""Limits looked at, each a root of two below the one before."""


class Tail(Options):
    """Of one tensor: what limits of its largest |x| / 2^(k/2), k = 1, 2, ... cut off."""

    largest: float
    shares: tuple[float, ...]
    """The share of values beyond the limit."""
    decibels: tuple[float, ...]
    """Signal over what is cut off, in dB."""

    def cut(self, limit: float) -> tuple[float, float] | None:
        """Return share and dB for a limit, between those looked at; None where nothing is cut."""
        if not 0 < limit < self.largest:
            return None
        place = min(2 * math.log2(self.largest / limit) - 1, len(self.shares) - 1.0)
        if place < 0:
            # What lies between is not known. Most is lost where all of it is at the very end: then
            # the error falls with the distance to it, and to nothing.
            part = (self.largest - limit) / (self.largest * (1 - math.sqrt(0.5)))
            return self.shares[0] * part, self.decibels[0] - 20 * math.log10(part)
        low = int(place)
        high = min(low + 1, len(self.shares) - 1)
        part = place - low
        shares, decibels = (
            row[low] * (1 - part) + row[high] * part for row in (self.shares, self.decibels)
        )
        return shares, decibels


class Tails(Options):
    """`tails.json`: by tensor, for those whose values were counted."""

    tensors: dict[str, Tail]


def make_tails(histograms: Mapping[str, Histogram]) -> Tails:
    """Look at the histograms that were counted and hold anything but zeros."""
    counted = {name: one for name, one in sorted(histograms.items()) if one.counts.size}
    return Tails(tensors={name: _look(one) for name, one in counted.items() if one.absmax})


def _look(histogram: Histogram) -> Tail:
    limits = [histogram.absmax / math.sqrt(2) ** (k + 1) for k in range(POINTS)]
    return Tail(
        largest=histogram.absmax,
        shares=tuple(round(histogram.share_above(limit) or 0.0, 6) for limit in limits),
        decibels=tuple(round(histogram.clipped_db(limit), 2) for limit in limits),
    )
