"""What the kernels read and write, as arrays of NumPy: the layouts of their structures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from trtbuild.calib.on_gpu.kernels import CHUNK, NOTHING_YET

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trtbuild.calib.histogram import Histogram

__all__ = [
    "PART",
    "STATE",
    "TENSOR",
    "ObservedTensor",
    "decode_extremes",
    "fill_histogram",
    "find_not_finite",
    "list_parts",
    "start_states",
]

TENSOR = [
    ("address", "<u8"),
    ("size", "<u8"),
    ("half", "<i4"),
    ("row", "<i4"),
    ("blocks", "<u4"),
    ("unused", "<u4"),
]
STATE = [("low", "<u4"), ("high", "<u4"), ("exponent", "<i4"), ("done", "<u4")]
PART = [("tensor", "<u4"), ("chunk", "<u4")]
_LEAST, _MOST = 0x007FFFFF, 0xFF800000
"""The keys of the infinities: what lies there or beyond is not finite."""


class ObservedTensor(NamedTuple):
    """A tensor on the device."""

    address: int
    size: int
    """How many values."""
    half: bool
    """Whether they are float16, and not float32."""


def start_states(tensors: int) -> NDArray[Any]:
    """Return what is known of so many tensors before the first run."""
    import numpy as np

    states = np.zeros(tensors, STATE)
    states["low"], states["exponent"] = 0xFFFFFFFF, NOTHING_YET
    return states


def list_parts(sizes: Sequence[int]) -> tuple[NDArray[Any], list[int]]:
    """Return the part that each block reads, and how many blocks read each of these tensors."""
    import numpy as np

    blocks = [-(-size // CHUNK) for size in sizes]
    parts = np.zeros(sum(blocks), PART)
    parts["tensor"] = np.repeat(np.arange(len(sizes)), blocks)
    starts = np.repeat(np.cumsum([0, *blocks[:-1]]), blocks) if sizes else 0
    parts["chunk"] = np.arange(len(parts)) - starts
    return parts, blocks


def find_not_finite(states: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell of each tensor whether a NaN or an infinity was seen in it."""
    low, high = states["low"], states["high"]
    seen = states["exponent"] != NOTHING_YET
    found: NDArray[np.bool_] = seen & ((low <= _LEAST) | (high >= _MOST))
    return found


def fill_histogram(
    histogram: Histogram, state: Any, counts: NDArray[np.uint64] | None, total: int
) -> None:
    """Add to a histogram what the kernels found of `total` values; None for no counts."""
    import numpy as np

    if not total:
        return
    from trtbuild.calib.histogram import Histogram as Made

    made = Made(counted=counts is not None)
    # + 0.0 makes 0 of -0, as for values that the CPU has seen.
    made.low, made.high = (_decode(int(state[name])) + 0.0 for name in ("low", "high"))
    made.exponent, made.total = int(state["exponent"]), total
    if counts is not None:
        made.counts = counts.astype(np.int64)
    histogram.merge(made)


def decode_extremes(states: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the least and the largest value of each tensor."""
    import numpy as np

    low, high = (
        np.where(keys & 0x80000000, keys ^ np.uint32(0x80000000), ~keys).view(np.float32)
        for keys in (states["low"], states["high"])
    )
    return low, high


def _decode(key: int) -> float:
    import numpy as np

    bits = key ^ 0x80000000 if key & 0x80000000 else ~key & 0xFFFFFFFF
    return float(np.array(bits, np.uint32).view(np.float32))
