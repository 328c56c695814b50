"""Choose some of a row evenly, but not every second: what takes turns in it is chosen too."""

from __future__ import annotations

__all__ = ["scatter"]

STEP = 0.4142135623730951
"""sqrt(2) - 1: its multiples fill the unit interval evenly, and other than those of `Judge`."""


def scatter(count: int) -> list[int]:
    """Return the places 0 to count - 1 in an order of which each beginning is spread evenly."""
    return sorted(range(count), key=lambda place: place * STEP % 1)
