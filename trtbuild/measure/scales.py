"""Outputs that hold parts of unlike scale: then the larger part alone decides a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from trtbuild.measure.parts import OutputPart, format_slices

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ScaleSurvey"]

HIDDEN_POWER = 0.01
"""Of all power: a part with less could be lost altogether, and the whole would still be 20 dB."""
APART = 4.0
"""How far the usual (RMS) value of each larger channel lies above the highest of the smaller ones.
Within one sort of values (logits, an embedding, pixels) channels differ by steps, and not by such a
gap."""
FEWEST = 16
"""Values of a channel: fewer are no usual ones."""
LEAST_SHARE = 1 / 32
"""Of the channels: fewer that are small are near-dead ones of an embedding, not a part."""
_MOST_CHANNELS = 2048
_MOST_VALUES = 1 << 25
"""What is looked at; more do not change the picture."""
_MOST_PARTS = 6
_SIDE = 8
"""What is shorter is no side of a picture."""
_OBLONG = 2.0


class ScaleSurvey:
    """Looks at the reference's values, channel by channel, along every axis that may be theirs."""

    def __init__(self, name: str, shapes: Sequence[tuple[int, ...]]) -> None:
        """Take the shape of each sample, without the batch."""
        self._name = name
        self._axes = list(_find_axes(shapes))
        self._sums: dict[int, list[np.ndarray]] = {}
        self._seen = 0
        self._span = (math.inf, -math.inf)

    def add(self, reference: np.ndarray) -> None:
        """Look at some samples, [n, ...]."""
        import numpy as np

        if not self._axes or self._seen > _MOST_VALUES or not reference.size:
            return
        values = np.abs(reference.astype(np.float64))
        self._seen += values.size
        low, high = self._span
        self._span = (min(low, float(reference.min())), max(high, float(reference.max())))
        for axis in self._axes:
            rest = tuple(each for each in range(values.ndim) if each != axis + 1)
            power, peak = (values**2).sum(axis=rest), values.max(axis=rest)
            before = self._sums.get(axis)
            if before is None:
                self._sums[axis] = [power, peak, np.array(values.size / len(power))]
            else:
                before[0] += power
                before[1] = np.maximum(before[1], peak)
                before[2] += values.size / len(power)

    def find_parts(self) -> dict[str, OutputPart]:
        """Return the parts of unlike scale, by how they are written; none where all are alike.

        What lies in 0..1 throughout (probabilities, pictures) is of one unit.
        """
        import numpy as np

        low, high = self._span
        if not self._sums or (low >= 0 and high <= 1) or not math.isfinite(low + high):
            return {}
        with np.errstate(all="ignore"):
            found = [
                (gap, axis, small)
                for axis, (power, peak, count) in self._sums.items()
                if count >= FEWEST
                for gap, small in [_split(power, peak, float(count))]
                if gap >= APART
            ]
        if not found:
            return {}
        _, axis, small = max(found, key=lambda each: each[0])
        return {
            self._name + format_slices(axis + 1, chosen): OutputPart(
                self._name, (*[slice(None)] * (axis + 1), chosen)
            )
            for chosen in _list_slices(small)
        }


def _find_axes(shapes: Sequence[tuple[int, ...]]) -> Iterable[int]:
    """Yield the axes of a sample that may be the channels': not the two sides of a picture."""
    first = shapes[0]
    same = [all(shape[axis] == first[axis] for shape in shapes) for axis in range(len(first))]
    sides = _find_sides(first)
    for axis, size in enumerate(first):
        if same[axis] and axis not in sides and 1 < size <= _MOST_CHANNELS:
            yield axis


def _find_sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the two axes next to each other that are most alike in size, of three or more."""
    if len(shape) < 3:  # noqa: PLR2004
        return ()
    pairs = [
        (max(one, other) / min(one, other), axis)
        for axis, (one, other) in enumerate(pairwise(shape))
        if min(one, other) >= _SIDE
    ]
    ratio, axis = min(pairs, default=(math.inf, 0))
    return (axis, axis + 1) if ratio <= _OBLONG else ()


def _split(power: np.ndarray, peak: np.ndarray, count: float) -> tuple[float, np.ndarray]:
    """Return how far the two most unlike groups of channels lie apart, and which are small."""
    import numpy as np

    live = np.flatnonzero(peak > 0)
    usual = np.sqrt(power[live] / count)
    order = np.argsort(usual, kind="stable")
    highest = np.maximum.accumulate(peak[live][order])
    share = np.cumsum(power[live][order]) / power.sum()
    fits = (share[:-1] <= HIDDEN_POWER) & (
        np.arange(1, len(live)) >= LEAST_SHARE * max(1, len(live))
    )
    gaps = np.where(fits, usual[order][1:] / highest[:-1], 0.0)
    small = np.zeros(len(power), bool)
    if not gaps.size or not gaps.any():
        return 0.0, small
    best = int(gaps.argmax())
    small[live[order[: best + 1]]] = True
    small[peak == 0] = True
    return float(gaps[best]), small


def _list_slices(small: np.ndarray) -> list[slice]:
    """Write two groups of channels as slices: runs, or every so many; the larger one first."""
    import numpy as np

    borders = [0, *(int(each) + 1 for each in np.flatnonzero(np.diff(small))), len(small)]
    runs = [slice(start, stop) for start, stop in pairwise(borders)]
    if len(runs) <= _MOST_PARTS:
        return runs
    stepped = [_find_step(np.flatnonzero(group), len(small)) for group in (~small, small)]
    return [each for each in stepped if each is not None] or runs[:_MOST_PARTS]


def _find_step(places: np.ndarray, size: int) -> slice | None:
    """Return the slice that selects just these places; None where there is none."""
    steps = {int(b - a) for a, b in pairwise(places)}
    if len(steps) != 1:
        return None
    (step,) = steps
    return slice(int(places[0]), min(size, int(places[-1]) + 1), step)
