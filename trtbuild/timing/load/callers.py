"""A caller for each size of batch, ready to be called: memory is taken and kernels are chosen."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trtbuild.timing.clock import warm_up

if TYPE_CHECKING:
    from trtbuild.timing.base import Arrays, OpenRunner

__all__ = ["Callers", "list_sizes"]

_EACH, _EIGHTS, _STEPS = 16, 64, (8, 32)
"""Up to so many every size is made, then up to so many each 8th, then each 32nd."""
_CALLS = 3


def list_sizes(most: int) -> tuple[int, ...]:
    """Return which sizes of batches are run, up to the largest: what lies between is filled up."""
    sizes = {*range(1, min(most, _EACH) + 1), most}
    sizes |= set(range(_EACH, min(most, _EIGHTS) + 1, _STEPS[0])) - {0}
    sizes |= set(range(_EIGHTS, most + 1, _STEPS[1]))
    return tuple(sorted(each for each in sizes if each <= most))


class Callers:
    """A model that is open, and a caller of it for each size of batch."""

    def __init__(
        self, runner: OpenRunner, feeds: Mapping[int, Arrays], *, warmup_seconds: float
    ) -> None:
        """Make and warm up a caller a size; the largest until it is stable.

        Raises:
            StepInputError: the model does not take a size.
        """
        self._sizes = sorted(feeds)
        self._calls: dict[int, Callable[[], None]] = {}
        self._runners: list[OpenRunner] = []
        runner.feed(feeds[self._sizes[0]])
        for size in self._sizes:
            other = runner.fork()
            self._runners.append(other)
            other.feed(feeds[size])
            call = other.call_whole if other.has_transfers else other.call
            for _ in range(_CALLS):
                call()
            self._calls[size] = call
        warm_up(self._calls[self._sizes[-1]], cap_seconds=warmup_seconds)

    def call(self, count: int) -> None:
        """Run so many requests at once, in the smallest batch that holds them."""
        self._calls[self._sizes[bisect.bisect_left(self._sizes, count)]]()

    def close(self) -> None:
        """Give all callers back; the model stays."""
        for each in self._runners:
            each.close()
