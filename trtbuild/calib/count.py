"""Count a block of values into equal bins: the innermost loop of calibration."""

from __future__ import annotations

import functools
import math
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


__all__ = ["BINS", "BLOCK", "count_block", "merge_bins"]

BINS = 1 << 14
BLOCK = 1 << 17
"""Values counted at a time: the temporaries stay in the processor's cache."""
_LANES = 64
_MANY = 1 << 15
"""Fewer values are counted in less time than it takes to make and to add up all bins."""


def count_block(block: NDArray[np.float32], exponent: int, *, signed: bool) -> NDArray[np.int64]:
    """Count floor(|x| * BINS / 2^exponent) of at most BLOCK values, every |x| below 2^exponent.

    Empty bins at the end may be left out.
    """
    import numpy as np

    size = block.size
    scaled, index, wide, lanes = (room[:size] for room in _ROOM.buffers)
    np.multiply(block, np.float32(math.ldexp(BINS, -exponent)), out=scaled)
    if signed:
        np.abs(scaled, out=scaled)
    np.copyto(index, scaled, casting="unsafe")
    if size < _MANY:
        return np.bincount(index)
    # Half of what comes from a ReLU is zero, and counting the same bin again and again stalls the
    # processor: what lies in bin 0 (unsigned, 0 - 1 is the largest there is) is spread over lanes
    # behind the others.
    np.subtract(index, 1, out=index)
    np.copyto(wide, np.minimum(index.view(np.uint32), lanes, out=index.view(np.uint32)))
    found = np.bincount(wide, minlength=BINS - 1)
    return np.concatenate((found[BINS - 1 :].sum(keepdims=True), found[: BINS - 1]))


def merge_bins(counts: NDArray[np.int64], octaves: int) -> NDArray[np.int64]:
    """Merge 2^octaves neighbours into one, for a span as many times as wide.

    Empty bins at the end may be left out, of what is given and of what is returned.
    """
    import numpy as np

    if not octaves or not counts.size:
        return counts
    starts = np.arange(0, counts.size, 1 << min(octaves, BINS.bit_length() - 1))
    return np.add.reduceat(counts, starts)


class _Room(threading.local):
    """Room for a block's temporaries, and the lanes: made once in each thread that counts."""

    @functools.cached_property
    def buffers(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int64], NDArray[np.uint32]]:
        import numpy as np

        lanes = (np.arange(BLOCK) % _LANES + BINS - 1).astype(np.uint32)
        floats, narrow = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.int32)
        return floats, narrow, np.empty(BLOCK, np.int64), lanes


_ROOM = _Room()
