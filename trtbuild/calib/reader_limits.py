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
TRIED = 8
"""So many limits, evenly in their logarithm; the best may lie between two of them."""


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
    steps = [NARROWEST ** (step / (TRIED - 1)) for step in range(TRIED)]
    with ThreadPoolExecutor(workers) as pool:
        curves: dict[str, list[float]] = {}
        for share in steps:
            fed = scales({name: top * share for name, top in tops.items()})
            found = list(pool.map(lambda feed, fed=fed: _run(session, feed, fed), feeds))
            for tensor, error in _sum_up(found, readings).items():
                curves.setdefault(tensor, []).append(error)
    return {
        name: tops[name] * NARROWEST ** (_find_lowest(curve) / (TRIED - 1))
        for name in highest
        if (curve := _add([curves[each] for each in together[name] if each in curves]))
    }


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


def _add(curves: Sequence[Sequence[float]]) -> list[float]:
    return [math.fsum(each) for each in zip(*curves, strict=True)]


def _find_lowest(curve: Sequence[float]) -> float:
    """Return the place of the lowest value, of the parabola through it and its neighbours."""
    place = min(range(len(curve)), key=curve.__getitem__)
    if not 0 < place < len(curve) - 1 or not all(map(math.isfinite, curve)):
        return float(place)
    left, here, right = curve[place - 1 : place + 2]
    bend = left - 2 * here + right
    return place + (left - right) / (2 * bend) if bend > 0 else float(place)
