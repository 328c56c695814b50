"""Which samples are right, as text: a bit each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["read_bits", "write_bits"]


def write_bits(right: np.ndarray) -> str:
    """Write truth values as hexadecimal: the first is the highest bit; the last byte is filled."""
    import numpy as np

    return np.packbits(right.astype(bool)).tobytes().hex()


def read_bits(text: str, count: int) -> list[bool] | None:
    """Return the first `count` truth values; None where there are not as many, or none."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    if not count or len(data) != (count + 7) // 8:
        return None
    return [bool(data[index // 8] >> (7 - index % 8) & 1) for index in range(count)]
