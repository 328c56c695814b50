"""The limits with which the layers that read a tensor err least."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from trtbuild.model.feeds import Feed
from trtbuild.model.session import Session

if TYPE_CHECKING:
    import numpy as np

__all__ = ["NARROWEST", "find_reader_limits"]

NARROWEST = 0.35
"""The least limit tried, as a share of max |x|."""
PLACES = 8
"""So many limits there are to try, evenly in their logarithm; the best may lie between two of them.

Tried is every second one, and then the neighbours of the best: six runs for a sample."""


def find_reader_limits(  # a session, what is fed, and what it tells
    session: Session,
    feeds: Sequence[Feed],
    readings: Iterable[tuple[str, str, str]],
    scales: Callable[[Mapping[str, float]], Mapping[str, np.ndarray]],
    highest: Mapping[str, float],
    find_group: Callable[[str], Iterable[str]],
    *,
    workers: int = 1,
) -> dict[str, float]:
    """Return the limit of each tensor that a layer reads; one for all tensors of a group.

    Args:
        session: tells for each reading the power of the error and that of the signal.
        feeds: what it is run on.
        readings: tensor, output with the error, output with the signal.
        scales: limits → what feeds the scales.
        highest: max |x| of each tensor.
        find_group: names the tensors that share a tensor's scale.
        workers: how many feeds are run at a time; the result is the same for any number.
    """
    readings = list(readings)
    together = {name: [each for each in find_group(name) if each in highest] for name in highest}
    tops = {name: max(highest[each] for each in together[name]) for name in highest}
    curves: dict[str, dict[int, float]] = {name: {} for name in highest}
    with ThreadPoolExecutor(workers) as pool:

        def measure(places: Mapping[str, int]) -> None:
            fed = scales({name: tops[name] * _share(places[name]) for name in highest})
            found = list(pool.map(lambda feed: _run(session, feed, fed), feeds))
            errors = _sum_up(found, readings)
            for name, place in places.items():
                if known := [errors[each] for each in together[name] if each in errors]:
                    curves[name][place] = math.fsum(known)

        for place in range(0, PLACES, 2):
            measure(dict.fromkeys(highest, place))
        lowest = {name: _find_least(curve) for name, curve in curves.items()}
        for step in (1, -1):
            measure({name: max(0, place + step) for name, place in lowest.items()})
    return {
        name: tops[name] * _share(_find_lowest(curve)) for name, curve in curves.items() if curve
    }


def _share(place: float) -> float:
    return float(NARROWEST ** (place / (PLACES - 1)))


def _run(session: Session, feed: Feed, scales: Mapping[str, np.ndarray]) -> dict[str, float]:
    with feed.blamed():
        found = session.run({**feed.arrays, **scales})
    return {name: float(value) for name, value in found.items()}


def _sum_up(
    found: Sequence[Mapping[str, float]], readings: Iterable[tuple[str, str, str]]
) -> dict[str, float]:
    """Return each tensor's error, the sum of its readers' shares of error."""
    errors: dict[str, float] = {}
    for tensor, error, signal in readings:
        power = math.fsum(each[signal] for each in found)
        share = math.fsum(each[error] for each in found) / power if power > 0 else 0.0
        errors[tensor] = errors.get(tensor, 0.0) + share
    return errors


def _find_least(curve: Mapping[int, float]) -> int:
    return min(curve, key=curve.__getitem__, default=0)


def _find_lowest(curve: Mapping[int, float]) -> float:
    """Return the place of the lowest value, of the parabola through it and its neighbours."""
    place = _find_least(curve)
    around = [curve.get(each, math.inf) for each in (place - 1, place, place + 1)]
    if not all(map(math.isfinite, around)):
        return float(place)
    left, here, right = around
    bend = left - 2 * here + right
    return place + (left - right) / (2 * bend) if bend > 0 else float(place)
