"""Sums over resampled samples, from a few numbers of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.measure.base import Figure, Value

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Drawn", "sum_draws", "take_only_draw", "take_ratio"]

Drawn = Mapping[str, "tuple[np.ndarray, np.ndarray | None]"]
"""By figure: the candidate's values, one a draw, and the reference's where it has its own."""

_MOST_VALUES = 1 << 22
"""How many weights are in memory at once."""


def sum_draws(rows: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return the sum of the rows that each draw names: [samples, k], int64 [draws, n] → [draws, k].

    A sum is the same for any number of draws and threads: whole numbers are exact in any order,
    others are added by NumPy and not by a BLAS.
    """
    import numpy as np

    if rows.dtype.kind not in "biu":
        return np.stack([rows[draw].sum(axis=0) for draw in draws])
    exact = rows.astype(np.float64)
    step = max(1, _MOST_VALUES // max(1, len(rows)))
    sums = []
    for start in range(0, len(draws), step):
        some = draws[start : start + step]
        weights = np.stack([np.bincount(draw, minlength=len(rows)) for draw in some])
        sums.append(weights.astype(np.float64) @ exact)
    return np.concatenate(sums)


def take_ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, and NaN where the whole is 0."""
    import numpy as np

    none = np.full(np.shape(part), np.nan)
    return np.asarray(np.divide(part, whole, out=none, where=whole != 0))


def take_only_draw(
    figures: Sequence[Figure], drawn: Drawn, remarks: Mapping[str, str], *, without: str
) -> dict[str, Value]:
    """Return what figures come to in the one draw that was made, with what is to be said of them.

    Of a figure that was not drawn, `without` says why; NaN is no value.
    """
    found = {}
    for figure in figures:
        if figure.name not in drawn:
            found[figure.name] = Value(None, remark=without, applies=False)
            continue
        mine, other = drawn[figure.name]
        own = None if other is None else _number(other[0])
        found[figure.name] = Value(_number(mine[0]), own, remarks.get(figure.name, ""))
    return found


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
